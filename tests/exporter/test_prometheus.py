"""A real Prometheus scrapes the real exporter."""

import json
import shutil
import subprocess
import urllib.error
import urllib.parse
import urllib.request

import pytest

from driftmon.exporter.service import Exporter
from tests.servers import free_port

CONFIGURATION = """
global: {{scrape_interval: 1s, scrape_timeout: 1s}}
scrape_configs:
  - job_name: driftmon
    label_value_length_limit: 512
    static_configs: [{{targets: ["{target}"]}}]
"""


@pytest.fixture
def exporter(results):
    exporter = Exporter(results.reader, listen="127.0.0.1:0", refresh_seconds=0.2)
    yield exporter
    exporter.stop()


@pytest.fixture
def query(exporter, tmp_path, until):
    binary = shutil.which("prometheus")
    if binary is None:
        pytest.skip("prometheus is not installed; it is in the package 'prometheus'")
    port = free_port()
    configuration = tmp_path / "prometheus.yml"
    configuration.write_text(CONFIGURATION.format(target=exporter.address))
    log = (tmp_path / "prometheus.log").open("wb")
    process = subprocess.Popen(
        [
            binary,
            f"--config.file={configuration}",
            f"--storage.tsdb.path={tmp_path / 'data'}",
            f"--web.listen-address=127.0.0.1:{port}",
            "--log.level=warn",
        ],
        stdout=log,
        stderr=log,
    )

    def query(expression):
        """The value of each series that a query gives, by its labels."""
        url = f"http://127.0.0.1:{port}/api/v1/query?query={urllib.parse.quote(expression)}"
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                result = json.load(answer)["data"]["result"]
        except (urllib.error.URLError, ConnectionError):  # not up yet
            return {}
        return {
            tuple(sorted((k, v) for k, v in series["metric"].items() if k != "__name__")): float(series["value"][1])
            for series in result
        }

    try:
        yield query
    finally:
        process.terminate()
        process.wait(timeout=30)
        log.close()


def columns(series):
    return {dict(labels)["column"] for labels in series}


def test_prometheus_shows_the_gauges_and_forgets_a_removed_column(exporter, results, query, until):
    hostile = 'say "hi"\\\n{} עמודה 📈'
    result = results.check(dep_delay=0.5, **{hostile: 0.25, "x" * 600: 0.0})
    exporter.start()

    gauges = until(lambda: query("driftmon_column_kl_divergence_nats"))
    assert {hostile, "dep_delay"} < columns(gauges)
    [value] = [value for labels, value in gauges.items() if dict(labels)["column"] == "dep_delay"]
    assert value == result["dep_delay"].kl
    assert query('up{job="driftmon"}').popitem()[1] == 1
    [series] = query("driftmon_exporter_series").values()
    [scraped] = query("count({job='driftmon',__name__=~'driftmon_(monitor|column)_.+'})").values()
    assert scraped == series

    results.check(day=2, dep_delay=0.0)

    assert until(lambda: columns(query("driftmon_column_kl_divergence_nats")) == {"dep_delay"})
