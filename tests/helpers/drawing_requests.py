"""Requests to a drawing server that runs in this process."""

import re

from tornado.httpclient import AsyncHTTPClient, HTTPRequest
from tornado.ioloop import IOLoop

PAGES = [
    '/',
    '/page/main.js',
    '/page/style.css',
    '/overview',
    '/status',
    '/next',
    '/image/0',
    '/thumbnail/0',
    '/mask/0',
    '/saved/0',
]


def ask(server, path, host=None, method='GET', body=None, **headers):
    """The response of the server, which runs in this process."""
    headers['Host'] = host or f'127.0.0.1:{server.port}'
    request = HTTPRequest(
        f'http://127.0.0.1:{server.port}{path}',
        method,
        headers,
        body=body,
        allow_nonstandard_methods=True,
        follow_redirects=False,
    )
    return IOLoop.current().run_sync(
        lambda: AsyncHTTPClient().fetch(request, raise_error=False)
    )


def enter(server):
    """The cookie that the printed address gives."""
    path = re.fullmatch(r'http://[^/]+(/\?token=.+)', server.address)[1]
    answer = ask(server, path)
    assert answer.code == 302 and answer.headers['Location'] == '/'
    assert 'HttpOnly' in answer.headers['Set-Cookie']
    return answer.headers['Set-Cookie'].partition(';')[0]
