"""What the server answers: the page's files, images, masks and outlines.

An image is asked for by its number in the queue, and a file of the page by a name that
is known: no path comes from a request.
"""

import asyncio
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tornado.web import HTTPError, RequestHandler

from cfcn_plugin.masks import MaskError
from cfcn_plugin.printable import printable

from .drafts import Draft
from .outlines import OutlineAssistant, read_marks
from .runs import encode_runs
from .session import TAKEN, DrawingSession, WriteRefused

PAGE = Path(__file__).parent / 'page'
TYPES = {'.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css'}
FILES = {file.name: file for file in PAGE.iterdir() if file.suffix in TYPES}
HEADERS = {
    'Content-Security-Policy': "default-src 'self'; img-src 'self' blob: data:; "
    "frame-ancestors 'none'; base-uri 'none'",
    'X-Content-Type-Options': 'nosniff',
    'Referrer-Policy': 'no-referrer',
    'Cache-Control': 'no-store',
}


def routes(session: DrawingSession, stop: Callable[[], None]) -> list[tuple]:
    """The handlers of a session; ``stop`` ends the server."""
    # masks are written one after the other; images and outlines are computed beside
    shared = dict(
        session=session,
        stop=stop,
        assistant=OutlineAssistant(),
        writer=ThreadPoolExecutor(1),
        reader=ThreadPoolExecutor(2),
        outliner=ThreadPoolExecutor(1),
    )
    return [
        (pattern, handler, shared)
        for pattern, handler in (
            (r'/()', PageFile),
            (r'/page/([\w.-]+)', PageFile),
            (r'/overview', Overview),
            (r'/status', Status),
            (r'/next', Next),
            (r'/stop', Stop),
            (r'/image/(\d+)', ImageFile),
            (r'/thumbnail/(\d+)', Thumbnail),
            (r'/mask/(\d+)', Mask),
            (r'/saved/(\d+)', Saved),
            (r'/draft/(\d+)', DraftFile),
            (r'/skip/(\d+)', Skip),
            (r'/outline/(\d+)', OutlineOf),
        )
    ]


class Handler(RequestHandler):
    """Answers in JSON, errors too: ``{"error": text}``, or ``{"reason": ...}``."""

    def initialize(self, session, stop, assistant, writer, reader, outliner) -> None:
        self.session, self.stop, self.assistant = session, stop, assistant
        self.writer, self.reader, self.outliner = writer, reader, outliner

    def set_default_headers(self) -> None:
        for name, value in HEADERS.items():
            self.set_header(name, value)

    async def within(self, pool: ThreadPoolExecutor, function, *args):
        """The result of a function in a thread of the pool."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(pool, function, *args)

    async def write_image(self, function, text: str, *args):
        """The result of a session's method for an image and this tab, while no other
        image is written.
        """
        return await self.within(
            self.writer, function, self.index(text), self.tab, *args
        )

    def index(self, text: str) -> int:
        index = int(text)
        if index >= len(self.session.queue):
            raise HTTPError(404)
        return index

    def name(self, text: str) -> str:
        return self.session.queue.names[self.index(text)]

    @property
    def tab(self) -> str:
        return self.get_query_argument('tab', '')

    @property
    def agreed(self) -> list[str]:
        return self.get_query_argument('agreed', '').split(',')

    def write_error(self, status_code: int, exc_info=None, **_) -> None:
        error = exc_info and exc_info[1]
        if isinstance(error, WriteRefused):
            self.set_status(409)
            self.finish(dict(reason=error.reason))
        elif isinstance(error, MaskError | OSError):
            self.set_status(422)
            self.finish(dict(error=printable(error)))
        else:
            self.finish(dict(error=f'{status_code} {self._reason}'))

    def log_exception(self, kind, error, traceback) -> None:
        if not isinstance(error, WriteRefused | MaskError | OSError):
            super().log_exception(kind, error, traceback)

    def send(self, facts: dict, content: bytes) -> None:
        """Bytes, with facts in a header."""
        self.set_header('Content-Type', 'application/octet-stream')
        self.set_header('X-Facts', json.dumps(facts))
        self.finish(content)


class PageFile(Handler):
    def get(self, name: str) -> None:
        file = FILES.get(name or 'index.html')
        if file is None:
            raise HTTPError(404)
        self.set_header('Content-Type', f'{TYPES[file.suffix]}; charset=utf-8')
        self.finish(file.read_bytes())


class Overview(Handler):
    def get(self) -> None:
        self.finish(self.session.overview())


class Status(Handler):
    async def get(self) -> None:
        text = self.get_query_argument('index', '')
        index = self.index(text) if text.isdecimal() else None
        status = await self.within(self.writer, self.session.status, self.tab, index)
        self.finish(status)


class Next(Handler):
    async def get(self) -> None:
        after = int(self.get_query_argument('after', '-1'))
        index = await self.within(self.writer, self.session.next_open, self.tab, after)
        self.finish(dict(index=index))


class Stop(Handler):
    def post(self) -> None:
        self.finish({})
        self.stop()


class ImageFile(Handler):
    async def get(self, text: str) -> None:
        content, kind = await self.within(
            self.reader, self.session.images.encoded, self.name(text)
        )
        self.set_header('Content-Type', kind)
        self.finish(content)


class Thumbnail(Handler):
    async def get(self, text: str) -> None:
        content = await self.within(
            self.reader, self.session.images.thumbnail, self.name(text)
        )
        self.set_header('Content-Type', 'image/jpeg')
        self.set_header('Cache-Control', 'private, max-age=3600')
        self.finish(content)


class Mask(Handler):
    async def get(self, text: str) -> None:
        facts, runs, steps = await self.write_image(
            self.session.open, text, TAKEN in self.agreed
        )
        self.send(dict(facts, runs=len(runs)), runs + steps)

    async def put(self, text: str) -> None:
        revision = self.get_query_argument('revision', '')
        self.finish(
            dict(
                revision=await self.write_image(
                    self.session.save, text, revision, self.request.body, self.agreed
                )
            )
        )


class Saved(Handler):
    async def get(self, text: str) -> None:
        self.send(*await self.within(self.writer, self.session.peek, self.index(text)))


class DraftFile(Handler):
    async def put(self, text: str) -> None:
        body = self.request.body
        length = int(self.get_query_argument('runs', str(len(body))))
        revision = self.get_query_argument('revision', '')
        draft = Draft(revision, body[:length], body[length:])
        await self.write_image(self.session.draft, text, draft, self.agreed)
        self.finish({})

    async def delete(self, text: str) -> None:
        await self.write_image(self.session.drop_draft, text)
        self.finish({})


class Skip(Handler):
    async def post(self, text: str) -> None:
        self.finish(dict(skipped=await self.write_image(self.session.skip, text)))


class OutlineOf(Handler):
    async def post(self, text: str) -> None:
        name = self.name(text)
        try:
            marks = read_marks(json.loads(self.request.body))
        except ValueError as error:  # also a MaskError
            raise MaskError(str(error)) from error
        image = await self.within(self.reader, self.session.images.load, name)
        outline = await self.within(
            self.outliner, self.assistant.propose, name, image, *marks
        )
        height, width = outline.mask.shape
        self.send(
            dict(left=outline.left, top=outline.top, height=height, width=width),
            encode_runs(outline.mask),
        )
