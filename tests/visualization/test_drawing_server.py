"""The drawing server answers who has its address, and no other site or user."""
import json
import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from matplotlib import pyplot as plt
from PIL import Image

pytest.importorskip('tornado')
from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPRequest
from tornado.ioloop import IOLoop
from tornado.websocket import websocket_connect

from cfcn_plugin.visualization.drawing_server import DrawingServer

TOOL = Path(__file__).parents[2] / 'tools' / 'draw_masks.py'
PAGES = ['/', '/1', '/_static/js/mpl_tornado.js', '/_static/css/page.css',
         '/js/mpl.js', '/favicon.ico', '/1/download.png', '/_images/home.png']


@pytest.fixture
def server():
    backend = plt.get_backend()
    plt.close('all')
    plt.switch_backend('WebAgg')
    plt.figure('Draw masks')
    yield DrawingServer('127.0.0.1', 18900)
    plt.close('all')
    plt.switch_backend(backend)


def ask(server, path, host=None, at='127.0.0.1', **headers):
    """The response of the server, which runs in this process."""
    headers['Host'] = host or f'{at}:{server.port}'
    request = HTTPRequest(f'http://{at}:{server.port}{path}', headers=headers,
                          follow_redirects=False)
    return IOLoop.current().run_sync(
        lambda: AsyncHTTPClient().fetch(request, raise_error=False))


def enter(server):
    """The cookie that the printed address gives."""
    path = re.fullmatch(r'http://[^/]+(/1\?token=.+)', server.address)[1]
    answer = ask(server, path)
    assert answer.code == 302 and answer.headers['Location'] == '/1'
    assert 'HttpOnly' in answer.headers['Set-Cookie']
    return answer.headers['Set-Cookie'].partition(';')[0]


def open_socket(server, **headers):
    request = HTTPRequest(f'ws://127.0.0.1:{server.port}/1/ws', headers=headers)

    async def talk():
        connection = await websocket_connect(request)
        await connection.write_message(json.dumps(
            dict(type='send_image_mode', figure_id='1')))
        answer = await connection.read_message()
        connection.close()
        return json.loads(answer)

    return IOLoop.current().run_sync(talk)


def test_page_and_all_its_parts_work_after_the_printed_address(server):
    cookie = enter(server)
    for page in PAGES:
        assert ask(server, page, Cookie=cookie).code == 200, page
    assert b'/1' in ask(server, '/1', Cookie=cookie).body
    own = f'http://127.0.0.1:{server.port}'
    assert open_socket(server, Cookie=cookie, Origin=own)['type'] == 'resize'
    assert open_socket(server, Cookie=cookie)['type'] == 'resize'


@pytest.mark.parametrize('page', [*PAGES, '/1?token=', '/1?token=guess', '/nowhere'])
def test_without_the_token_nothing_is_shown(server, page):
    answer = ask(server, page)
    assert answer.code == 403 and b'address that draw_masks has printed' in answer.body
    cookie = enter(server).partition('=')[0]
    assert ask(server, page, Cookie=f'{cookie}=guess').code == 403
    assert ask(server, page, Cookie=f'{cookie}=é').code == 403


def test_each_server_has_its_own_token(server):
    other = DrawingServer('127.0.0.1', server.port)
    assert other.port == server.port + 1
    assert other.address.partition('token=')[2] not in server.address
    assert ask(other, '/1', Cookie=enter(server)).code == 403


@pytest.mark.parametrize('host', [
    'evil.example', 'evil.example:{port}', '127.0.0.1:1', 'localhost',
    '10.0.0.9:{port}',
    '127.0.0.1.evil.example:{port}', 'localhost:{port}:{port}', ':{port}'])
def test_another_host_is_refused_also_with_the_token(server, host):
    cookie, host = enter(server), host.format(port=server.port)
    assert ask(server, '/1', host, Cookie=cookie).code == 403
    path = server.address.partition(f':{server.port}')[2]
    assert ask(server, path, host).code == 403
    with pytest.raises(HTTPClientError, match='403'):
        open_socket(server, Host=host, Cookie=cookie, Origin=f'http://{host}')


@pytest.mark.parametrize('host', ['localhost', 'LOCALHOST', '127.0.0.1', '[::1]'])
def test_names_of_this_machine_are_known(server, host):
    assert ask(server, '/1', f'{host}:{server.port}', Cookie=enter(server)).code == 200


@pytest.mark.parametrize('origin', [
    'http://evil.example', 'null', 'https://127.0.0.1:{port}', 'http://127.0.0.1',
    'http://127.0.0.1:1', 'http://localhost:{port}'])
def test_page_of_another_site_is_refused_also_with_the_cookie(server, origin):
    cookie, origin = enter(server), origin.format(port=server.port)
    assert ask(server, '/1', Cookie=cookie, Origin=origin).code == 403
    with pytest.raises(HTTPClientError, match='403'):
        open_socket(server, Cookie=cookie, Origin=origin)


def test_socket_without_the_cookie_is_refused(server):
    with pytest.raises(HTTPClientError, match='403'):
        open_socket(server, Origin=f'http://127.0.0.1:{server.port}')


def test_server_for_all_addresses_knows_them_and_no_other_name(server):
    everywhere = DrawingServer('0.0.0.0', server.port)
    cookie, port = enter(everywhere), everywhere.port
    for host in ('10.0.0.9', '[fe80::1]', socket.gethostname(), 'localhost'):
        assert ask(everywhere, '/1', f'{host}:{port}', Cookie=cookie).code == 200
    assert ask(everywhere, '/1', f'evil.example:{port}', Cookie=cookie).code == 403
    assert 'not encrypted' in everywhere.describe()


def test_name_that_is_given_is_known(server):
    named = DrawingServer('localhost', server.port)
    assert f'http://localhost:{named.port}/1?token=' in named.describe()
    assert ask(named, '/1', f'localhost:{named.port}', Cookie=enter(named)).code == 200


def test_tool_prints_the_address_with_the_token_alone_and_ends(tmp_path):
    (tmp_path / 'images').mkdir()
    Image.new('RGB', (9, 6)).save(tmp_path / 'images' / 'a.jpg')
    tool = subprocess.Popen(
        [sys.executable, '-u', TOOL, tmp_path / 'images', '--out', tmp_path / 'masks',
         '--browser', '--port', '19900'],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        said = []
        while 'same address' not in ''.join(said):
            said.append(tool.stdout.readline())
            assert said[-1], said
        address, = re.findall(r'http://\S+', ''.join(said))
        assert re.fullmatch(r'http://127\.0\.0\.1:\d+/1\?token=[\w-]{40,}', address)
        answer = IOLoop.current().run_sync(lambda: AsyncHTTPClient().fetch(
            address, follow_redirects=False, raise_error=False))
        assert answer.code == 302
        os.kill(tool.pid, signal.SIGINT)
        rest = tool.communicate()[0]
        assert tool.returncode == 0 and '0 of 1 images have a mask' in rest
        assert 'http' not in rest
    finally:
        tool.kill()
