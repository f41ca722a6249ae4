"""What the routes answer: parts of the page and of the queue, and broken writes."""

import numpy as np
import pytest

pytest.importorskip('tornado')
from drawing_requests import PAGES, ask, enter

from cfcn_plugin.annotation.drawing.routes import FILES
from cfcn_plugin.annotation.drawing.runs import encode_runs


def test_page_and_all_its_parts_work_after_the_printed_address(server):
    cookie = enter(server)
    for page in (*PAGES, *(f'/page/{name}' for name in FILES)):
        answer = ask(server, page, Cookie=cookie)
        assert answer.code == 200, page
        assert "default-src 'self'" in answer.headers['Content-Security-Policy']
    assert b'<canvas' in ask(server, '/', Cookie=cookie).body


def test_no_file_outside_of_the_page_and_the_queue_is_read(server):
    cookie = enter(server)
    for path in (
        '/page/../routes.py',
        '/page/..%2froutes.py',
        '/page/routes.py',
        '/page/%2fetc%2fpasswd',
        '/image/3',
        '/image/-1',
        '/image/a.png',
        '/image/../a.png',
        '/mask/99',
        '/thumbnail/3',
        '/etc/passwd',
    ):
        assert ask(server, path, Cookie=cookie).code == 404, path


def test_draft_comes_back_with_its_steps_after_the_runs(server):
    own = dict(Cookie=enter(server), Origin=f'http://127.0.0.1:{server.port}')
    runs = encode_runs(np.ones((200, 300), np.uint8))
    path = f'/draft/0?tab=one&revision=&runs={len(runs)}'
    assert ask(server, path, None, 'PUT', runs + b'steps', **own).code == 200
    answer = ask(server, '/mask/0?tab=one', **own)
    assert answer.body == runs + b'steps'
    assert f'"runs": {len(runs)}' in answer.headers['X-Facts']


@pytest.mark.parametrize(
    'method,path,body',
    [
        ('PUT', '/mask/0', b'abc'),
        ('PUT', '/draft/0', b'\0' * 8),
        ('PUT', '/mask/0', b''),
        ('PUT', '/mask/0', b'\xff\xff\xff\xff\x60\xea\0\0'),
        ('POST', '/outline/0', b'{'),
        ('POST', '/outline/0', b'[]'),
        ('POST', '/outline/0', b'{"boxes": [[1, 2]], "strokes": []}'),
        ('POST', '/outline/0', b'{"boxes": [[1e999, 2, 3, 4]], "strokes": []}'),
        ('POST', '/outline/0', b'{"boxes": [], "strokes": []}'),
        ('POST', '/outline/0', b'{"boxes": [[900, 900, 950, 950]], "strokes": []}'),
    ],
)
def test_broken_writes_are_told_and_write_nothing(server, images, method, path, body):
    answer = ask(
        server,
        path,
        None,
        method,
        body,
        Cookie=enter(server),
        Origin=f'http://127.0.0.1:{server.port}',
    )
    assert answer.code == 422 and b'"error": "' in answer.body
    assert not (images.parent / 'masks').exists()
