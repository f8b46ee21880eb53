"""A real Prometheus for a test, gone at its end."""

import shutil
import subprocess
import time
import urllib.error
import urllib.request
from contextlib import contextmanager

import pytest

from tests.servers import free_port

PATIENCE = 30.0


@contextmanager
def prometheus(folder, configuration):
    """Run Prometheus with a configuration; gives its address. Skips the test where it is not installed."""
    binary = shutil.which("prometheus")
    if binary is None:
        pytest.skip("prometheus is not installed: apt-get install prometheus")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "prometheus.yml").write_text(configuration)
    address = f"127.0.0.1:{free_port()}"
    command = [binary, f"--config.file={folder / 'prometheus.yml'}", f"--storage.tsdb.path={folder / 'data'}"]
    with (folder / "prometheus.log").open("wb") as log:
        process = subprocess.Popen(
            [*command, f"--web.listen-address={address}", "--log.level=warn"], stdout=log, stderr=log
        )
        try:
            _wait_until_ready(f"http://{address}", process)
            yield f"http://{address}"
        finally:
            process.terminate()
            process.wait(PATIENCE)


def _wait_until_ready(url, process):
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            urllib.request.urlopen(f"{url}/-/ready", timeout=5).close()
        except (urllib.error.URLError, ConnectionError):
            assert process.poll() is None, "prometheus ended"
            assert time.monotonic() < deadline, "prometheus is not ready"
            time.sleep(0.05)
        else:
            return
