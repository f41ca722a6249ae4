"""matplotlib's figures in a browser, for those alone who have the printed address."""
import errno
import ipaddress
import re
import secrets
import signal
import socket

from matplotlib.backends.backend_webagg import WebAggApplication
from tornado.httputil import HTTPServerRequest
from tornado.ioloop import IOLoop
from tornado.web import HTTPError, RequestHandler

LOCAL = ('127.0.0.1', 'localhost', '[::1]')
PORTS = 50  # ports to try, one after the other
PORT = re.compile(r'(.*?)(?::(\d*))?')  # of a Host
EVERY = ('', '0.0.0.0', '::')  # addresses that mean all of a machine's addresses


class DrawingServer(WebAggApplication):
    """Serves matplotlib's figures, and refuses requests of strangers with 403.

    A request must have the token of this server, which is in the address that
    :meth:`describe` prints, and from then on in a cookie. So no other user of the
    machine can see the images or draw. The request's Host must be this server, and its
    Origin, if there is one, this server's page: a page of another site that the same
    browser shows can send no request, also if that site's name leads to this machine
    (DNS rebinding).

    Args:
        host: Address or name to listen at.
        port: First port to try; if it is in use, the following ports.

    Attributes:
        port: The port that is used.
        address: The address of the page, with the token.

    Raises:
        OSError: ``host`` is no address of this machine, or no port is free.
    """

    def __init__(self, host: str = '127.0.0.1', port: int = 8988):
        super().__init__()
        self.host = host
        self._token = secrets.token_urlsafe()
        for self.port in range(port, port + PORTS):
            try:
                self.listen(self.port, host)
                break
            except OSError as error:
                if error.errno != errno.EADDRINUSE or self.port == port + PORTS - 1:
                    raise
        # cookies are of a host, for all its ports
        self._cookie = f'draw_masks_{self.port}'
        self._names = {*LOCAL, _in_address(host)}
        if host in EVERY:
            self._names |= {socket.gethostname().lower(), socket.getfqdn().lower()}
        shown = socket.gethostname() if host in EVERY else _in_address(host)
        self.address = f'http://{shown}:{self.port}/1?token={self._token}'

    def describe(self) -> str:
        """How to open the page, for the terminal."""
        text = f'Draw at {self.address} (q there, or Ctrl+C here, ends it).\n'
        if _in_address(self.host) in LOCAL:
            port, host = self.port, _in_address(self.host)
            return (f'{text}From another machine, first\n'
                    f'  ssh -L {port}:{host}:{port} {socket.gethostname()}\n'
                    'and then open the same address there.')
        return (f'{text}Anyone who has this address can see the images and draw, and '
                'the connection is not encrypted.')

    def run(self) -> None:
        """Serve until :meth:`stop`, or until Ctrl+C."""
        loop = IOLoop.current()
        before = signal.signal(
            signal.SIGINT, lambda *_: loop.add_callback_from_signal(loop.stop))
        try:
            loop.start()
        finally:
            signal.signal(signal.SIGINT, before)

    def stop(self) -> None:
        """End :meth:`run` after the last update was sent to the browser."""
        IOLoop.current().call_later(0.2, IOLoop.current().stop)

    # ---- each request ------------------------------------------------------------

    def find_handler(self, request: HTTPServerRequest, **options):
        """The handler of a request: matplotlib's for the page's user."""
        cookie = request.cookies.get(self._cookie)
        if not self._is_own(request):
            handler = _Refuse
        elif cookie is not None and self._is_token(cookie.value):
            return super().find_handler(request, **options)
        elif self._is_token(request.arguments.get('token', [b''])[0]):
            handler = _Enter
        else:
            handler = _Refuse
        return self.get_handler_delegate(
            request, handler, dict(cookie=self._cookie, token=self._token))

    def _is_own(self, request: HTTPServerRequest) -> bool:
        """Whether Host, and Origin if there is one, are this server."""
        host = request.headers.get('Host', '').lower()
        origin = request.headers.get('Origin')
        name, port = PORT.fullmatch(host).groups(default='80')
        known = port == str(self.port) and (
            name in self._names or (self.host in EVERY and _is_address(name)))
        return known and origin in (None, f'http://{host}')

    def _is_token(self, value: str | bytes) -> bool:
        value = value.encode(errors='replace') if isinstance(value, str) else value
        return secrets.compare_digest(value, self._token.encode())


class _Refuse(RequestHandler):

    def initialize(self, **_) -> None:
        pass

    def prepare(self) -> None:
        raise HTTPError(403)

    def write_error(self, status_code: int, **_) -> None:
        self.finish('Open the address that draw_masks has printed, with its token.')


class _Enter(RequestHandler):
    """Keeps the token in a cookie, so that the address no longer shows the token."""

    def initialize(self, cookie: str, token: str) -> None:
        self.kept = cookie, token

    def get(self) -> None:
        self.set_cookie(*self.kept, httponly=True, samesite='Lax')
        self.redirect('/1')


def _in_address(host: str) -> str:
    """A host as in an address: IPv6 in brackets, lower case."""
    return f'[{host}]' if ':' in host else host.lower()


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(re.sub(r'^\[(.*)\]$', r'\1', name))
    except ValueError:
        return False
    return True
