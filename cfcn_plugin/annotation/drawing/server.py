"""The server of the drawing page, for those alone who have the printed address."""

import errno
import signal
import socket

from tornado.httputil import HTTPServerRequest
from tornado.ioloop import IOLoop
from tornado.web import Application, HTTPError, RequestHandler

from .access import Access
from .routes import routes
from .session import DrawingSession

PORTS = 50  # ports to try, one after the other
READS = ('GET', 'HEAD')


class DrawingServer(Application):
    """Serves the page of a session, and refuses requests of strangers with 403.

    A request must have the token of this server, which is in the address that
    :meth:`describe` prints, and from then on in a cookie. So no other user of the
    machine can see the images or draw. The request's Host must be this server, and its
    Origin this server's page: a page of another site that the same browser shows can
    send no request.

    Args:
        session: The images and masks.
        host: Address or name to listen at.
        port: First port to try; if it is in use, the following ports.

    Attributes:
        port: The port that is used.
        address: The address of the page, with the token.

    Raises:
        OSError: ``host`` is no address of this machine, or no port is free.
    """

    def __init__(
        self, session: DrawingSession, host: str = '127.0.0.1', port: int = 8988
    ):
        super().__init__(routes(session, self.stop))
        for self.port in range(port, port + PORTS):
            try:
                self._http = self.listen(self.port, host)
                break
            except OSError as error:
                if error.errno != errno.EADDRINUSE or self.port == port + PORTS - 1:
                    raise
        self.access = Access(host, self.port)
        self.address = (
            f'http://{self.access.shown}:{self.port}/?token={self.access.token}'
        )

    def describe(self) -> str:
        """How to open the page, for the terminal."""
        text = f'Draw at {self.address} (q there, or Ctrl+C here, ends it).\n'
        if self.access.is_local:
            port, host = self.port, self.access.shown
            return (
                f'{text}From another machine, first\n'
                f'  ssh -L {port}:{host}:{port} {socket.gethostname()}\n'
                'and then open the same address there.'
            )
        return (
            f'{text}Anyone who has this address can see the images and draw, and '
            'the connection is not encrypted.'
        )

    def run(self) -> None:
        """Serve until :meth:`stop`, or until Ctrl+C."""
        loop = IOLoop.current()
        before = {
            number: signal.signal(
                number, lambda *_: loop.add_callback_from_signal(loop.stop)
            )
            for number in (signal.SIGINT, signal.SIGTERM)
        }
        try:
            loop.start()
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
            self._http.stop()

    def stop(self) -> None:
        """End :meth:`run` after the last answer was sent to the browser."""
        IOLoop.current().call_later(0.2, IOLoop.current().stop)

    def find_handler(self, request: HTTPServerRequest, **options):
        """The handler of a request: the page's for its user, a refusal for others."""
        access, cookie = self.access, request.cookies.get(self.access.cookie)
        if not access.is_own(
            request.headers.get('Host', ''),
            request.headers.get('Origin'),
            writes=request.method not in READS,
        ):
            handler = _Refuse
        elif cookie is not None and access.is_token(cookie.value):
            return super().find_handler(request, **options)
        elif access.is_token(request.arguments.get('token', [b''])[0]):
            handler = _Enter
        else:
            handler = _Refuse
        return self.get_handler_delegate(request, handler, dict(access=access))


class _Refuse(RequestHandler):
    def initialize(self, access: Access) -> None:
        pass

    def prepare(self) -> None:
        raise HTTPError(403)

    def write_error(self, status_code: int, **_) -> None:
        self.finish('Open the address that draw_masks has printed, with its token.')


class _Enter(RequestHandler):
    """Keeps the token in a cookie, so that the address no longer shows the token."""

    def initialize(self, access: Access) -> None:
        self.access = access

    def get(self) -> None:
        self.set_cookie(
            self.access.cookie, self.access.token, httponly=True, samesite='Lax'
        )
        self.redirect('/')
