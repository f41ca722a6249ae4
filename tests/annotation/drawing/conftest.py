"""A server of the page in a thread, and a person with a headless Chromium."""

import asyncio
import threading

import pytest
from drawing_photos import photograph
from PIL import Image

from benchmarks.chromium import start_chromium
from cfcn_plugin.annotation.drawing.session import DrawingSession
from cfcn_plugin.annotation.queue import AnnotationQueue


@pytest.fixture
def images(tmp_path):
    """Three photographs, each of its own noise."""
    folder = tmp_path / 'birds' / 'images'
    folder.mkdir(parents=True)
    for seed, name in enumerate('abc'):
        Image.fromarray(photograph(seed=seed)).save(folder / f'{name}.png')
    return folder


@pytest.fixture
def clock():
    """A clock that stands still until its ``now`` is changed."""

    class Clock:
        now = 0.0

        def __call__(self):
            return self.now

    return Clock()


@pytest.fixture
def session(images):
    return DrawingSession(AnnotationQueue(images, images.parent / 'masks'))


@pytest.fixture
def server(session):
    """A server of the session in this process."""
    pytest.importorskip('tornado')
    from cfcn_plugin.annotation.drawing.server import DrawingServer

    server = DrawingServer(session, '127.0.0.1', 18700)
    yield server
    server._http.stop()


@pytest.fixture
def serve(images):
    """Serve the images as the tool does; returns the server."""
    pytest.importorskip('tornado')
    from cfcn_plugin.annotation.drawing.server import DrawingServer

    stops = []

    def start(queue=None, port=18900, **options):
        queue = queue or AnnotationQueue(images, images.parent / 'masks')
        ready, found = threading.Event(), []

        async def run():
            end, loop = asyncio.Event(), asyncio.get_running_loop()

            class Server(DrawingServer):
                def stop(self):
                    loop.call_soon_threadsafe(end.set)

            session = DrawingSession(queue, 'dict(the config)', **options)
            server = Server(session, '127.0.0.1', port)
            found.append(server)
            ready.set()
            await end.wait()
            server._http.stop()
            await server._http.close_all_connections()

        thread = threading.Thread(target=asyncio.run, args=[run()], daemon=True)
        thread.start()
        assert ready.wait(20)
        stops.append((found[0].stop, thread))
        return found[0]

    yield start
    for stop, thread in stops:
        if thread.is_alive():
            stop()
        thread.join(10)


@pytest.fixture(scope='session')
def chromium(tmp_path_factory):
    pytest.importorskip('selenium')
    driver = start_chromium(tmp_path_factory.mktemp('profile'))
    if driver is None:
        pytest.skip('needs chromium and chromedriver')
    yield driver
    driver.quit()


@pytest.fixture
def person(chromium):
    """A person at a browser with one empty tab; the page made no errors."""
    from drawing_person import Person

    chromium.get_log('browser')
    person = Person(chromium)
    yield person
    errors = person.errors()
    first, *others = chromium.window_handles
    for handle in others:
        chromium.switch_to.window(handle)
        chromium.close()
    chromium.switch_to.window(first)
    chromium.get('about:blank')
    assert errors == []
