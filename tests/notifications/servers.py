"""Receivers that listen: a web hook and a mail server of our own, which take, refuse, or never answer."""

from __future__ import annotations

import json
import socketserver
import threading
from contextlib import contextmanager
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

if TYPE_CHECKING:
    from collections.abc import Iterator
    from email.message import EmailMessage


class Hook:
    """A web hook: `got` has the bodies that it took, `status` is what it answers, and while it `hangs` it answers nothing."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.status = 200
        self.asked = 0
        self.got: list[dict[str, object]] = []
        self.answers = threading.Event()
        self.answers.set()

    def hang(self) -> None:
        self.answers.clear()

    def url(self, path: str = "hook", scheme: str = "json") -> str:
        return f"{scheme}://robot:s3cret-word@127.0.0.1:{self.port}/{path}"

    @property
    def titles(self) -> list[str]:
        return [str(body["title"]) for body in self.got]


@contextmanager
def hook() -> Iterator[Hook]:
    """A web hook that listens within the block."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status = found.status
            found.asked += 1
            found.answers.wait()
            if status == 200:
                found.got.append(_content(self.headers["Content-Type"], body))
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_arguments: object) -> None:
            """Keep quiet."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_arguments: object) -> None:
            """Who hung up does not want to hear it."""

    with Server(("127.0.0.1", 0), Handler) as server:
        found = Hook(server.server_address[1])
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield found
        found.answers.set()
        server.shutdown()
        thread.join()


def _content(kind: str, body: bytes) -> dict[str, object]:
    if "json" in kind:
        return json.loads(body)
    if "form" in kind:
        return {name: values[0] for name, values in parse_qs(body.decode()).items()}
    return {"body": body.decode()}


@contextmanager
def mail_server() -> Iterator[tuple[int, list[EmailMessage]]]:
    """A mail server that takes everything within the block; gives its port, and what it took."""
    taken: list[EmailMessage] = []

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.wfile.write(b"220 here\r\n")
            while line := self.rfile.readline():
                verb = line[:4].upper()
                if verb == b"DATA":
                    self.wfile.write(b"354 go on\r\n")
                    lines = []
                    while (text := self.rfile.readline()) != b".\r\n":
                        lines.append(text.removeprefix(b"."))
                    taken.append(message_from_bytes(b"".join(lines), policy=policy.default))
                self.wfile.write(b"221 bye\r\n" if verb == b"QUIT" else b"250 ok\r\n")
                if verb == b"QUIT":
                    return

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True

    with Server(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield server.server_address[1], taken
        server.shutdown()
        thread.join()
