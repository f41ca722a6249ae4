"""The server answers who has its address, and no other site or user."""

from types import SimpleNamespace

import pytest

pytest.importorskip('tornado')
from drawing_requests import PAGES, ask, enter

from cfcn_plugin.annotation.drawing.server import DrawingServer

WRITES = [
    ('PUT', '/mask/0'),
    ('PUT', '/draft/0'),
    ('DELETE', '/draft/0'),
    ('POST', '/skip/0'),
    ('POST', '/outline/0'),
    ('POST', '/stop'),
]


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


def test_another_host_is_refused_also_with_the_token(server):
    host = f'evil.example:{server.port}'
    assert ask(server, '/', host, Cookie=enter(server)).code == 403
    path = server.address.partition(f':{server.port}')[2]
    assert ask(server, path, host).code == 403


def test_page_of_another_site_is_refused_also_with_the_cookie(server):
    site = dict(Cookie=enter(server), Origin='http://evil.example')
    assert ask(server, '/', **site).code == 403
    for method, path in WRITES:
        assert ask(server, path, None, method, b'', **site).code == 403


def test_writing_needs_the_origin_of_the_page(server, session, images):
    cookie = enter(server)
    for method, path in WRITES:
        assert ask(server, path, None, method, b'', Cookie=cookie).code == 403
    assert not (images.parent / 'masks').exists()
    origin = f'http://127.0.0.1:{server.port}'
    assert (
        ask(server, '/skip/0', None, 'POST', b'', Cookie=cookie, Origin=origin).code
        == 200
    )
    assert session.queue.skipped == {'a.png'}


def test_server_for_all_addresses_warns(session):
    everywhere = DrawingServer(session, '0.0.0.0', 18700)
    assert (
        ask(
            everywhere, '/', f'10.0.0.9:{everywhere.port}', Cookie=enter(everywhere)
        ).code
        == 200
    )
    assert 'not encrypted' in everywhere.describe()


def test_name_that_is_given_is_known(session):
    named = DrawingServer(session, 'localhost', 18700)
    assert f'http://localhost:{named.port}/?token=' in named.describe()
    assert (
        ask(
            SimpleNamespace(port=named.port),
            '/',
            f'localhost:{named.port}',
            Cookie=enter(named),
        ).code
        == 200
    )
