"""Who may ask the server: the one who has its address, from its own page."""

import ipaddress
import re
import secrets
import socket

LOCAL = ('127.0.0.1', 'localhost', '[::1]')
PORT = re.compile(r'(.*?)(?::(\d*))?')  # of a Host
EVERY = ('', '0.0.0.0', '::')  # addresses that mean all of a machine's addresses


class Access:
    """Tells the server's own page from other sites and other users.

    Args:
        host: The address or name that the server listens at.
        port: Its port.

    Attributes:
        token: New for each server; it is in the printed address.
        cookie: Name of the cookie that keeps the token; cookies are of a host, for all
            its ports.
        shown: The host as in an address.
    """

    def __init__(self, host: str, port: int):
        self.host, self.port = host, port
        self.token = secrets.token_urlsafe()
        self.cookie = f'draw_masks_{port}'
        self.shown = socket.gethostname() if host in EVERY else in_address(host)
        self._names = {*LOCAL, in_address(host)}
        if host in EVERY:
            self._names |= {socket.gethostname().lower(), socket.getfqdn().lower()}

    def is_own(self, host: str, origin: str | None, writes: bool) -> bool:
        """Whether Host and Origin of a request are this server.

        A browser sends the Origin with whatever it writes; reading needs none. Another
        site's name may lead to this machine (DNS rebinding), so the Host counts, too.
        """
        host = host.lower()
        name, port = PORT.fullmatch(host).groups(default='80')
        known = port == str(self.port) and (
            name in self._names or (self.host in EVERY and _is_address(name))
        )
        allowed = (f'http://{host}',) if writes else (None, f'http://{host}')
        return known and origin in allowed

    def is_token(self, value: str | bytes) -> bool:
        value = value.encode(errors='replace') if isinstance(value, str) else value
        return secrets.compare_digest(value, self.token.encode())

    @property
    def is_local(self) -> bool:
        return in_address(self.host) in LOCAL


def in_address(host: str) -> str:
    """A host as in an address: IPv6 in brackets, lower case."""
    return f'[{host}]' if ':' in host else host.lower()


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(re.sub(r'^\[(.*)\]$', r'\1', name))
    except ValueError:
        return False
    return True
