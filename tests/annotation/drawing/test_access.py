"""Which requests are of the server's own page and user."""

import socket

import pytest

from cfcn_plugin.annotation.drawing.access import Access, in_address

LOCAL = Access('127.0.0.1', 8988)


@pytest.mark.parametrize(
    'host',
    [
        'evil.example',
        'evil.example:8988',
        '127.0.0.1:1',
        'localhost',
        '127.0.0.1',
        '10.0.0.9:8988',
        '127.0.0.1.evil.example:8988',
        'localhost:8988:8988',
        ':8988',
        '',
    ],
)
def test_another_host_is_not_own(host):
    assert not LOCAL.is_own(host, None, writes=False)
    assert not LOCAL.is_own(host, f'http://{host}', writes=True)


@pytest.mark.parametrize('host', ['localhost', 'LOCALHOST', '127.0.0.1', '[::1]'])
def test_names_of_this_machine_are_known(host):
    assert LOCAL.is_own(f'{host}:8988', None, writes=False)
    assert LOCAL.is_own(f'{host}:8988', f'http://{host.lower()}:8988', writes=True)


def test_port_80_need_not_be_named():
    access = Access('127.0.0.1', 80)
    assert access.is_own('127.0.0.1', 'http://127.0.0.1', writes=True)


@pytest.mark.parametrize(
    'origin',
    [
        'http://evil.example',
        'null',
        'https://127.0.0.1:8988',
        'http://127.0.0.1',
        'http://127.0.0.1:1',
        'http://localhost:8988',
        '',
    ],
)
def test_page_of_another_site_can_neither_read_nor_write(origin):
    for writes in (False, True):
        assert not LOCAL.is_own('127.0.0.1:8988', origin, writes)


def test_only_reading_needs_no_origin():
    assert LOCAL.is_own('127.0.0.1:8988', None, writes=False)
    assert not LOCAL.is_own('127.0.0.1:8988', None, writes=True)


@pytest.mark.parametrize('every', ['', '0.0.0.0', '::'])
def test_server_for_all_addresses_knows_them_and_no_other_name(every):
    access = Access(every, 8988)
    for host in ('10.0.0.9', '[fe80::1]', socket.gethostname(), 'localhost'):
        assert access.is_own(f'{host}:8988', None, writes=False)
    assert not access.is_own('evil.example:8988', None, writes=False)
    assert not access.is_local and access.shown == socket.gethostname()


def test_token_is_compared_whole():
    assert LOCAL.is_token(LOCAL.token) and LOCAL.is_token(LOCAL.token.encode())
    for wrong in ('', LOCAL.token[:-1], LOCAL.token + '=', 'é', b'\xff', '\ud800'):
        assert not LOCAL.is_token(wrong)
    assert Access('127.0.0.1', 8988).token != LOCAL.token


def test_host_is_shown_as_in_an_address():
    assert in_address('::1') == '[::1]' and in_address('LocalHost') == 'localhost'
    assert Access('::1', 1).is_local and not Access('10.0.0.9', 1).is_local
