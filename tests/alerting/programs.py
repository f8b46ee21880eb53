"""Prometheus and Alertmanager with the shipped files, in time that runs thirty times faster, and receivers that remember."""

from __future__ import annotations

import base64
import json
import re
import shutil
import socket
import socketserver
import subprocess
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests.servers import free_port

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from email.message import EmailMessage

ROOT = Path(__file__).parents[2]
PROMETHEUS = ROOT / "dashboards" / "prometheus"
ALERTMANAGER = ROOT / "dashboards" / "alertmanager"
RULES = PROMETHEUS / "driftmon.rules.yml"

FASTER = 30
"""
A minute of the shipped files lasts two seconds here; every second is scraped and evaluated.

Not more: what Prometheus and Alertmanager take to compute does not shrink with it, and beside the other tests that is up to a second.
"""

PATIENCE = 180.0
"""Seconds to wait for what should come."""

UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def program(name: str, package: str) -> str:
    """The path of a program; skips the test where it is missing."""
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed; it is in the package '{package}'")
    return found


def run(*command: object) -> str:
    """What a program prints; fails with it if it fails."""
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def until(ask: Callable[[], Any], *, seconds: float = PATIENCE) -> Any:
    """Ask again and again until the answer is true; what it was at the end of patience otherwise."""
    deadline = time.monotonic() + seconds
    while not (answer := ask()) and time.monotonic() < deadline:
        time.sleep(0.05)
    return answer


def rules() -> list[dict[str, Any]]:
    """The shipped rules, as the file has them."""
    return [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]


def alert_names() -> list[str]:
    """The names of all alerts, the watchdog left out."""
    return sorted({rule["alert"] for rule in rules() if "alert" in rule})


def fast(duration: str) -> str:
    """A duration, in time that runs faster."""
    seconds = sum(int(number) * UNITS[unit] for number, unit in re.findall(r"(\d+)([smhd])", duration))
    return f"{1000 * seconds // FASTER}ms"


def fast_rules() -> str:
    """The shipped rules with scaled durations; how long what was known is held, and the age at which a read is too old, are two of them."""
    loaded = yaml.safe_load(RULES.read_text())
    for group in loaded["groups"]:
        for rule in group["rules"]:
            rule |= {key: fast(rule[key]) for key in ("for", "keep_firing_for") if key in rule}
            rule["expr"] = rule["expr"].replace("[15m]", f"[{fast('15m')}]")
            if rule.get("alert") == "DriftmonExporterRefreshFailing":
                rule["expr"] = rule["expr"].replace("180", str(180 / FASTER))
    return yaml.safe_dump(loaded, allow_unicode=True)


def fast_routes(route: dict[str, Any]) -> dict[str, Any]:
    """A route and those below it with scaled durations."""
    scaled = {
        key: fast(value) for key, value in route.items() if key in {"group_wait", "group_interval", "repeat_interval"}
    }
    return route | scaled | {"routes": [fast_routes(below) for below in route.get("routes", ())]}


@dataclass
class Receivers:
    """What was received: bodies by path in the order of their arrival, and mails."""

    port: int
    mail_port: int
    got: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    mails: list[EmailMessage] = field(default_factory=list)
    passwords: list[str] = field(default_factory=list)

    def hooks(self) -> list[dict[str, Any]]:
        return self.got.get("/hook", [])

    def slack(self) -> list[dict[str, Any]]:
        return [body["attachments"][0] for body in self.got.get("/slack", [])]

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}/{path}"


class Quiet(socketserver.ThreadingMixIn):
    daemon_threads = True

    def handle_error(self, *_arguments: object) -> None:
        """Who hung up does not want to hear it."""


@contextmanager
def receivers() -> Iterator[Receivers]:  # noqa: C901 - two small servers, a handler each
    """A web server and a mail server that take everything within the block."""

    class Web(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            found.got.setdefault(self.path, []).append(body)
            self.send_response(202 if self.path == "/v2/enqueue" else 200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"ok")

        def log_message(self, *_arguments: object) -> None:
            """Keep quiet."""

    class Mail(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            answers = {b"EHLO": b"250-here\r\n250 AUTH PLAIN\r\n", b"QUIT": b"221 bye\r\n", b"AUTH": b"235 ok\r\n"}
            self.wfile.write(b"220 here\r\n")
            while line := self.rfile.readline():
                verb = line[:4].upper()
                if verb == b"AUTH":
                    found.passwords.append(base64.b64decode(line.split()[-1]).decode().split("\0")[-1])
                if verb == b"DATA":
                    self.wfile.write(b"354 go on\r\n")
                    lines = list(iter(self.rfile.readline, b".\r\n"))
                    found.mails.append(message_from_bytes(b"".join(lines), policy=policy.default))
                self.wfile.write(answers.get(verb, b"250 ok\r\n"))
                if verb == b"QUIT":
                    return

    class WebServer(Quiet, ThreadingHTTPServer):
        pass

    class MailServer(Quiet, socketserver.TCPServer):
        pass

    with WebServer(("127.0.0.1", 0), Web) as web, MailServer(("127.0.0.1", 0), Mail) as mail:
        found = Receivers(web.server_address[1], mail.server_address[1])
        threads = [threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True) for server in (web, mail)]
        for thread in threads:
            thread.start()
        yield found
        for server, thread in zip((web, mail), threads, strict=True):
            server.shutdown()
            thread.join()


@contextmanager
def running(command: list[object], log: Path, *, ready: str, env: dict[str, str] | None = None) -> Iterator[None]:
    """A program that runs within the block, from when an address answers."""
    with log.open("ab") as output:
        process = subprocess.Popen([str(part) for part in command], stdout=output, stderr=output, env=env)
        try:
            assert until(lambda: process.poll() is not None or answers(ready)), log.read_text()
            assert process.poll() is None, log.read_text()
            yield
        finally:
            process.terminate()
            process.wait(timeout=30)


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return answer.status == 200
    except (urllib.error.URLError, OSError):
        return False


class Door:
    """An address that leads to another, or to nobody: what stands behind it is changed at once, however long programs take to start."""

    def __init__(self) -> None:
        self.behind: int | None = None

        class Visitor(socketserver.BaseRequestHandler):
            def handle(visitor) -> None:  # noqa: N805 - self is the door
                if self.behind is not None:
                    with socket.create_connection(("127.0.0.1", self.behind)) as host:
                        back = threading.Thread(target=_pass_on, args=(host, visitor.request), daemon=True)
                        back.start()
                        _pass_on(visitor.request, host)
                        back.join()

        class Server(Quiet, socketserver.TCPServer):
            pass

        self._server = Server(("127.0.0.1", 0), Visitor)
        self.port: int = self._server.server_address[1]

    def __enter__(self) -> Door:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._server.shutdown()
        self._server.server_close()


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    try:
        while data := source.recv(1 << 16):
            target.sendall(data)
    except OSError:
        pass  # who is killed hangs up without a word
    finally:
        for end in (source, target):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


@contextmanager
def alertmanager(folder: Path, address: str, config: dict[str, Any]) -> Iterator[None]:
    """Alertmanager with a configuration beside the shipped texts, within the block."""
    shutil.copy(ALERTMANAGER / "driftmon.tmpl", folder)
    (folder / "alertmanager.yml").write_text(yaml.safe_dump(config, allow_unicode=True))
    command = [
        *(
            program("prometheus-alertmanager", "prometheus-alertmanager"),
            "--cluster.listen-address=",
            "--log.level=warn",
        ),
        *(f"--config.file={folder / 'alertmanager.yml'}", f"--storage.path={folder / 'alertmanager'}"),
        f"--web.listen-address={address}",
    ]
    with running(command, folder / "alertmanager.log", ready=f"http://{address}/-/ready"):
        yield


@dataclass(frozen=True)
class Prometheus:
    """A running Prometheus."""

    address: str

    def query(self, expression: str) -> list[tuple[dict[str, str], float]]:
        """The labels and the value of each series that an expression gives."""
        return [
            (series["metric"], float(series["value"][1])) for series in self._get("query", query=expression)["result"]
        ]

    def problems(self) -> list[str]:
        """What went wrong in the newest evaluation of each rule."""
        return [
            rule["lastError"]
            for group in self._get("rules")["groups"]
            for rule in group["rules"]
            if rule.get("lastError")
        ]

    def _get(self, what: str, **parameters: str) -> dict[str, Any]:
        url = f"http://{self.address}/api/v1/{what}?{urllib.parse.urlencode(parameters)}"
        with urllib.request.urlopen(url, timeout=10) as answer:
            return json.load(answer)["data"]


@contextmanager
def prometheus(folder: Path, *, exporter: str, alertmanager: str) -> Iterator[Prometheus]:
    """Prometheus with the shipped configuration and rules, faster, within the block."""
    config = yaml.safe_load((PROMETHEUS / "prometheus.yml").read_text())
    config["global"] = {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"}
    config["alerting"]["alertmanagers"][0]["static_configs"][0]["targets"] = [alertmanager]
    config["scrape_configs"][0] |= {"scrape_timeout": "1s", "static_configs": [{"targets": [exporter]}]}
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
    (folder / "driftmon.rules.yml").write_text(fast_rules())
    address = f"127.0.0.1:{free_port()}"
    command = [
        *(program("prometheus", "prometheus"), f"--config.file={folder / 'prometheus.yml'}", "--log.level=warn"),
        *(
            f"--storage.tsdb.path={folder / 'prometheus'}",
            f"--web.listen-address={address}",
            "--rules.alert.resend-delay=1s",
        ),
    ]
    with running(command, folder / "prometheus.log", ready=f"http://{address}/-/ready"):
        yield Prometheus(address)
