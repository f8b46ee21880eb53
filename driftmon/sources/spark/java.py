"""The Java program behind a session that we make: its start, what it says, and its end."""

from __future__ import annotations

import os
import subprocess
import tempfile
from contextlib import suppress
from shutil import which
from typing import TYPE_CHECKING, Any

from driftmon.errors import SourceError

if TYPE_CHECKING:
    from pyspark import SparkConf

__all__ = ["Java"]

PATIENCE = 20.0
"""Seconds that Java has to end by itself."""

LONGEST = 300


class Java:
    """
    A Java program that runs Spark's driver.

    Ends when this process does, however it ends, since it listens to a pipe that breaks then; `stop` ends it before. What it
    writes to its streams goes to a file that nobody sees unless it does not start: warnings of its own about itself, mostly.

    Parameters
    ----------
    conf : SparkConf

    Raises
    ------
    SourceError
        If it does not start.
    """

    def __init__(self, conf: SparkConf) -> None:
        from pyspark.errors import PySparkException  # noqa: PLC0415 - an extra, and it loads slowly
        from pyspark.java_gateway import launch_gateway  # noqa: PLC0415 - as above

        home = os.environ.get("JAVA_HOME")
        java = f"{home}/bin/java" if home else "java"
        if which(java) is None:
            raise SourceError(
                f"no Java at {java!r}; Spark needs Java 17 or newer: install it, or set JAVA_HOME to its folder"
            )
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - open as long as the program runs
        streams = {"stdout": self._log, "stderr": subprocess.STDOUT}
        try:
            self.gateway: Any = launch_gateway(conf, streams)  # type: ignore[no-untyped-call]  # PySpark has no types here
        except (PySparkException, OSError) as exc:
            said = self.said()
            self._log.close()
            raise SourceError(f"Java does not start: {said or exc}; Spark needs Java 17 or newer") from exc

    def said(self) -> str:
        """The last line that it wrote."""
        self._log.seek(0)
        lines = self._log.read().decode(errors="replace").split("\n")
        return next((line.strip()[:LONGEST] for line in reversed(lines) if line.strip()), "")

    def stop(self) -> None:
        """End it, and wait for its end."""
        from pyspark import SparkContext  # noqa: PLC0415 - as above

        with suppress(Exception):
            self.gateway.shutdown()
        process: subprocess.Popen[bytes] | None = self.gateway.proc
        if process is not None:
            if process.stdin is not None:
                process.stdin.close()
            try:
                process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._log.close()
        if SparkContext._gateway is self.gateway:  # noqa: SLF001 - else the next session would talk to a program that ended
            SparkContext._gateway = None  # noqa: SLF001 - as above
            SparkContext._jvm = None  # noqa: SLF001 - as above
