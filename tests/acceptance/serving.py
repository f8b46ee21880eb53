"""`driftmon serve` in a process of its own, and somebody who scrapes it."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from typing import TYPE_CHECKING

from prometheus_client.parser import text_string_to_metric_families

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["Served", "serving"]

PATIENCE = 30.0


class Served:
    """A running exporter."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._lines: list[str] = []
        self._process = process
        self._reader = threading.Thread(target=self._read)
        self._reader.start()
        self.address = self._until(lambda: re.search(r"metrics at (http://[^/]+)/metrics", self.log))[1]

    def _read(self) -> None:
        for line in self._process.stderr:
            self._lines.append(line)

    @property
    def log(self) -> str:
        """All that it wrote to standard error so far."""
        return "".join(self._lines)

    def get(self, path: str) -> tuple[int, str]:
        """Status and body."""
        try:
            with urllib.request.urlopen(self.address + path, timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def samples(self, name: str, **labels: str) -> dict[tuple[tuple[str, str], ...], float]:
        """The series of a metric with those labels, by all their labels."""
        return {
            tuple(sorted(sample.labels.items())): sample.value
            for family in text_string_to_metric_families(self.get("/metrics")[1])
            for sample in family.samples
            if sample.name == name and labels.items() <= sample.labels.items()
        }

    def values(self, name: str, **labels: str) -> list[float]:
        """The values of those series."""
        return list(self.samples(name, **labels).values())

    def until(self, name: str, wanted: Callable[[list[float]], bool], **labels: str) -> list[float]:
        """The values of those series, as soon as they are what is wanted."""
        return self._until(lambda: (values := self.values(name, **labels)) is not None and wanted(values) and values)

    def _until(self, ask):
        deadline = time.monotonic() + PATIENCE
        while not (answer := ask()):
            assert time.monotonic() < deadline, self.log
            assert self._process.poll() is None, self.log
            time.sleep(0.05)
        return answer

    def stop(self) -> int:
        """Ask it to stop; gives its exit status."""
        self._process.terminate()
        status = self._process.wait(PATIENCE)
        self._reader.join()
        return status


@contextmanager
def serving(*arguments: str) -> Iterator[Served]:
    """`driftmon serve` until the end of the block, reading its database five times a second."""
    command = [sys.executable, "-m", "driftmon", "serve", "--listen", "127.0.0.1:0", "--refresh", "0.2", *arguments]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            served = Served(process)
            yield served
            assert served.stop() == 0, served.log
        finally:
            process.kill()
