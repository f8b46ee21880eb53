"""
A small HTTP server for GET, made so that one silent or slow client holds up nobody else.

Every connection has its own thread and every read and write its own time limit. Routes are exact paths, of which what is sent is
ready before it is asked for, and pages below a path, which get the rest of it and the query.
"""

from __future__ import annotations

import logging
import re
import socket
import sys
import threading
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from socketserver import TCPServer, ThreadingMixIn
from typing import TYPE_CHECKING, ClassVar

from driftmon.errors import UsageError
from driftmon.exporter.requests import BadRequest, accepts_gzip, read_request

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import TypeAlias

    from driftmon.exporter.requests import Request

    Route: TypeAlias = Callable[[], "Response"]
    Page: TypeAlias = Callable[[Request], "Response"]

__all__ = ["Address", "HttpServer", "Response", "parse_address"]

logger = logging.getLogger(__name__)

PATIENCE = 10.0
"""Seconds that a client may let us wait for its next bytes, or for the room to send it ours."""

WRITE_SIZE = 1 << 18
"""Bytes a write, for the time limit holds for each write: a slow line may take as long as it needs while it moves."""

SECURITY_HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}

NOTHING = "default-src 'none'; frame-ancestors 'none'"

PLAIN = "text/plain; charset=utf-8"


@dataclass(frozen=True)
class Address:
    """Where to listen; an empty host is every interface, port 0 any free port."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_address(text: str) -> Address:
    """
    Read ``host:port``, ``[ipv6]:port`` or ``:port``.

    Raises
    ------
    UsageError
        If it is none of these.

    Examples
    --------
    >>> parse_address("[::1]:9877")
    Address(host='::1', port=9877)
    """
    found = re.fullmatch(r"(?:\[(?P<v6>[\w:.%]+)\]|(?P<host>[^\s:\[\]/@]*)):(?P<port>\d{1,5})", text, re.ASCII)
    if found is None or int(found["port"]) > 65535:
        raise UsageError(
            f"--listen {text!r} is not an address; expected host:port, [ipv6]:port or :port, such as 127.0.0.1:9877"
        )
    return Address(found["v6"] or found["host"] or "", int(found["port"]))


@dataclass(frozen=True)
class Response:
    """
    One answer.

    Parameters
    ----------
    parts : tuple of bytes
        The body, in pieces that follow each other.
    content_type : str
    status : HTTPStatus
    gzipped : tuple of bytes, optional
        The same body compressed, for clients that take it.
    policy : str
        Content security policy; by default a browser may load nothing and obey nothing.
    """

    parts: tuple[bytes, ...]
    content_type: str = PLAIN
    status: HTTPStatus = HTTPStatus.OK
    gzipped: tuple[bytes, ...] | None = None
    policy: str = NOTHING


def _line(status: HTTPStatus, text: str) -> Response:
    return Response((f"{text}\n".encode(),), status=status)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = PATIENCE
    disable_nagle_algorithm = (
        True  # headers and body are written apart; the second write must not wait for the first's receipt
    )
    routes: ClassVar[Mapping[str, Route]] = {}
    pages: ClassVar[Mapping[str, Page]] = {}

    def do_GET(self) -> None:
        self._answer(self._response())

    def do_HEAD(self) -> None:
        self._answer(self._response())

    def _response(self) -> Response:
        if "Content-Length" in self.headers or "Transfer-Encoding" in self.headers:
            self.close_connection = True  # a body that nobody reads would be taken for the next request
        path = self.path.partition("?")[0]
        try:
            return self._routed(path)
        except BadRequest as problem:
            return _line(problem.status, str(problem))
        except Exception:  # The top: a fault of ours must be an answer and a log line, not a silent disconnect.
            logger.exception("cannot answer %s", path)
            return _line(HTTPStatus.INTERNAL_SERVER_ERROR, "internal error; the log says more")

    def _routed(self, path: str) -> Response:
        route = self.routes.get(path)
        if route is not None:
            return route()
        for prefix, page in self.pages.items():
            if path.startswith(prefix):
                return page(read_request(self.path, prefix))
        return _line(HTTPStatus.NOT_FOUND, f"nothing here; there is {', '.join([*self.routes, *self.pages])}")

    def _answer(self, response: Response) -> None:
        parts = response.parts
        headers = {"Content-Type": response.content_type, "Content-Security-Policy": response.policy}
        if response.gzipped is not None and accepts_gzip(self.headers.get("Accept-Encoding", "")):
            parts = response.gzipped
            headers["Content-Encoding"] = "gzip"
        headers["Content-Length"] = str(sum(map(len, parts)))
        if response.status is HTTPStatus.METHOD_NOT_ALLOWED:
            headers["Allow"] = "GET, HEAD"
        if self.close_connection:
            headers["Connection"] = "close"
        self.send_response(response.status)
        for name, value in (headers | {"Vary": "Accept-Encoding"} | SECURITY_HEADERS).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            for part in parts:
                for start in range(0, len(part), WRITE_SIZE):
                    self.wfile.write(memoryview(part)[start : start + WRITE_SIZE])

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:  # noqa: ARG002 - the base class calls it with these
        # What the base class refuses: malformed requests, and methods that are not defined above. One line instead of its page.
        self.close_connection = True
        if code == HTTPStatus.NOT_IMPLEMENTED:
            text = f"{self.command} is not allowed here; use GET or HEAD"
            self._answer(_line(HTTPStatus.METHOD_NOT_ALLOWED, text))
        else:
            self._answer(_line(HTTPStatus(code), HTTPStatus(code).phrase.lower()))

    def version_string(self) -> str:
        return "driftmon"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the base class's
        logger.debug("%s %r", self.address_string(), format % args)


# Not HTTPServer: that one asks the name service for this machine's full name, which can take seconds.
class _Server(ThreadingMixIn, TCPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 64

    def __init__(self, address: Address, handler: type[_Handler]) -> None:
        # Everywhere means both protocols where the machine has both.
        self._everywhere = not address.host and socket.has_dualstack_ipv6()
        if self._everywhere or ":" in address.host:
            self.address_family = socket.AF_INET6
        super().__init__((address.host, address.port), handler)

    def server_bind(self) -> None:
        if self._everywhere:
            self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        super().server_bind()

    def handle_error(self, request: object, client_address: object) -> None:  # noqa: ARG002 - the base class calls it with these
        error = sys.exc_info()[1]
        if isinstance(error, OSError):
            logger.debug("%s went away: %s", client_address, error)
        else:
            logger.error("request of %s failed", client_address, exc_info=error)


class HttpServer:
    """
    Serves routes from a background thread.

    Parameters
    ----------
    address : Address
    routes : mapping of str to callable
        The answer to a GET of each path.
    pages : mapping of str to callable, optional
        The answer to a GET of whatever begins with each path, which ends in a slash.

    Raises
    ------
    UsageError
        If the address cannot be listened on.
    """

    def __init__(self, address: Address, routes: Mapping[str, Route], pages: Mapping[str, Page] | None = None) -> None:
        handler = type("_RoutedHandler", (_Handler,), {"routes": routes, "pages": pages or {}})
        try:
            self._server = _Server(address, handler)
        except OSError as error:
            raise UsageError(
                f"cannot listen on {address}: {(error.strerror or str(error)).lower()}; "
                "stop what listens there, or choose another address with --listen"
            ) from error
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.1}, name="driftmon-http", daemon=True
        )

    @property
    def address(self) -> Address:
        """Where it listens; the real port if any was asked for."""
        host, port = self._server.server_address[:2]
        return Address(str(host), int(port))

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def stop(self) -> None:
        """Stop answering and free the address."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()
