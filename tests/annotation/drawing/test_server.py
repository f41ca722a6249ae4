"""The server answers who has its address, and no other site or user."""
import re
import socket
from types import SimpleNamespace

import pytest

pytest.importorskip('tornado')
from tornado.httpclient import AsyncHTTPClient, HTTPRequest
from tornado.ioloop import IOLoop

from cfcn_plugin.annotation.drawing.routes import FILES
from cfcn_plugin.annotation.drawing.server import DrawingServer
from cfcn_plugin.annotation.drawing.session import DrawingSession
from cfcn_plugin.annotation.queue import AnnotationQueue

PAGES = ['/', '/page/main.js', '/page/style.css', '/overview', '/status', '/next',
         '/image/0', '/thumbnail/0', '/mask/0', '/saved/0']
WRITES = [('PUT', '/mask/0'), ('PUT', '/draft/0'), ('DELETE', '/draft/0'),
          ('POST', '/skip/0'), ('POST', '/outline/0'), ('POST', '/stop')]


@pytest.fixture
def session(images):
    return DrawingSession(AnnotationQueue(images, images.parent / 'masks'))


@pytest.fixture
def server(session):
    server = DrawingServer(session, '127.0.0.1', 18700)
    yield server
    server._http.stop()


def ask(server, path, host=None, method='GET', body=None, **headers):
    """The response of the server, which runs in this process."""
    headers['Host'] = host or f'127.0.0.1:{server.port}'
    request = HTTPRequest(
        f'http://127.0.0.1:{server.port}{path}', method, headers, body=body,
        allow_nonstandard_methods=True, follow_redirects=False)
    return IOLoop.current().run_sync(
        lambda: AsyncHTTPClient().fetch(request, raise_error=False))


def enter(server):
    """The cookie that the printed address gives."""
    path = re.fullmatch(r'http://[^/]+(/\?token=.+)', server.address)[1]
    answer = ask(server, path)
    assert answer.code == 302 and answer.headers['Location'] == '/'
    assert 'HttpOnly' in answer.headers['Set-Cookie']
    return answer.headers['Set-Cookie'].partition(';')[0]


def test_page_and_all_its_parts_work_after_the_printed_address(server):
    cookie = enter(server)
    for page in (*PAGES, *(f'/page/{name}' for name in FILES)):
        answer = ask(server, page, Cookie=cookie)
        assert answer.code == 200, page
        assert "default-src 'self'" in answer.headers['Content-Security-Policy']
    assert b'<canvas' in ask(server, '/', Cookie=cookie).body


def test_no_file_outside_of_the_page_and_the_queue_is_read(server):
    cookie = enter(server)
    for path in ('/page/../routes.py', '/page/..%2froutes.py', '/page/routes.py',
                 '/page/%2fetc%2fpasswd', '/image/3', '/image/-1', '/image/a.png',
                 '/image/../a.png', '/mask/99', '/thumbnail/3', '/etc/passwd'):
        assert ask(server, path, Cookie=cookie).code == 404, path


@pytest.mark.parametrize('page', [*PAGES, '/?token=', '/?token=guess', '/nowhere'])
def test_without_the_token_nothing_is_shown(server, page):
    answer = ask(server, page)
    assert answer.code == 403 and b'address that draw_masks has printed' in answer.body
    cookie = enter(server).partition('=')[0]
    assert ask(server, page, Cookie=f'{cookie}=guess').code == 403
    assert ask(server, page, Cookie=f'{cookie}=é').code == 403


def test_each_server_has_its_own_token(server, session):
    other = DrawingServer(session, '127.0.0.1', server.port)
    assert other.port == server.port + 1
    assert other.address.partition('token=')[2] not in server.address
    assert ask(other, '/', Cookie=enter(server)).code == 403


@pytest.mark.parametrize('host', [
    'evil.example', 'evil.example:{port}', '127.0.0.1:1', 'localhost',
    '10.0.0.9:{port}', '127.0.0.1.evil.example:{port}', 'localhost:{port}:{port}',
    ':{port}'])
def test_another_host_is_refused_also_with_the_token(server, host):
    cookie, host = enter(server), host.format(port=server.port)
    assert ask(server, '/', host, Cookie=cookie).code == 403
    path = server.address.partition(f':{server.port}')[2]
    assert ask(server, path, host).code == 403


@pytest.mark.parametrize('host', ['localhost', 'LOCALHOST', '127.0.0.1', '[::1]'])
def test_names_of_this_machine_are_known(server, host):
    assert ask(server, '/', f'{host}:{server.port}', Cookie=enter(server)).code == 200


@pytest.mark.parametrize('origin', [
    'http://evil.example', 'null', 'https://127.0.0.1:{port}', 'http://127.0.0.1',
    'http://127.0.0.1:1', 'http://localhost:{port}'])
def test_page_of_another_site_is_refused_also_with_the_cookie(server, origin):
    cookie, origin = enter(server), origin.format(port=server.port)
    assert ask(server, '/', Cookie=cookie, Origin=origin).code == 403
    for method, path in WRITES:
        assert ask(server, path, None, method, b'', Cookie=cookie,
                   Origin=origin).code == 403


def test_writing_needs_the_origin_of_the_page(server, session, images):
    cookie = enter(server)
    for method, path in WRITES:
        assert ask(server, path, None, method, b'', Cookie=cookie).code == 403
    assert not (images.parent / 'masks').exists()
    origin = f'http://127.0.0.1:{server.port}'
    assert ask(server, '/skip/0', None, 'POST', b'', Cookie=cookie,
               Origin=origin).code == 200
    assert session.queue.skipped == {'a.png'}


@pytest.mark.parametrize('method,path,body', [
    ('PUT', '/mask/0', b'abc'), ('PUT', '/draft/0', b'\0' * 8), ('PUT', '/mask/0', b''),
    ('PUT', '/mask/0', b'\xff\xff\xff\xff\x60\xea\0\0'),
    ('POST', '/outline/0', b'{'), ('POST', '/outline/0', b'[]'),
    ('POST', '/outline/0', b'{"boxes": [[1, 2]], "strokes": []}'),
    ('POST', '/outline/0', b'{"boxes": [[1e999, 2, 3, 4]], "strokes": []}'),
    ('POST', '/outline/0', b'{"boxes": [], "strokes": []}'),
    ('POST', '/outline/0', b'{"boxes": [[900, 900, 950, 950]], "strokes": []}')])
def test_broken_writes_are_told_and_write_nothing(server, images, method, path, body):
    answer = ask(server, path, None, method, body, Cookie=enter(server),
                 Origin=f'http://127.0.0.1:{server.port}')
    assert answer.code == 422 and b'"error": "' in answer.body
    assert not (images.parent / 'masks').exists()


def test_server_for_all_addresses_knows_them_and_no_other_name(session):
    everywhere = DrawingServer(session, '0.0.0.0', 18700)
    cookie, port = enter(everywhere), everywhere.port
    for host in ('10.0.0.9', '[fe80::1]', socket.gethostname(), 'localhost'):
        assert ask(everywhere, '/', f'{host}:{port}', Cookie=cookie).code == 200
    assert ask(everywhere, '/', f'evil.example:{port}', Cookie=cookie).code == 403
    assert 'not encrypted' in everywhere.describe()


def test_name_that_is_given_is_known(session):
    named = DrawingServer(session, 'localhost', 18700)
    assert f'http://localhost:{named.port}/?token=' in named.describe()
    assert ask(SimpleNamespace(port=named.port), '/', f'localhost:{named.port}',
               Cookie=enter(named)).code == 200
