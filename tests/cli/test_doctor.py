"""``driftmon doctor``: each link of the chain, whole and broken."""

import time
import warnings

import pytest

from driftmon.exporter.service import Exporter
from driftmon.store.store import Store
from tests.alerting.programs import alertmanager
from tests.prometheus import prometheus
from tests.servers import free_port

CONFIGURATION = """
global: {{scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}}
rule_files: [{rules}]
scrape_configs:
  - job_name: driftmon
    static_configs: [{{targets: ["{target}"]}}]
"""
RULES = """
groups:
  - name: ours
    rules:
      - {alert: DriftmonSomething, expr: vector(1)}
"""


@pytest.fixture
def served(ready):
    exporter = Exporter(lambda: Store.open("sqlite:///.driftmon/driftmon.db", read_only=True), listen="127.0.0.1:0")
    exporter.start()
    yield exporter
    exporter.stop()


def links(run):
    return {item["link"]: item for item in run.json}


def diagnose(project, *more, url="http://127.0.0.1:1"):
    return project.run("doctor", "--url", url, "--format", "json", *more)


def test_a_chain_without_a_fault_is_well_in_the_first_line(ready, served):
    ready.run("check", "shop", "--window", "2024-02-05")
    run = ready.run("doctor", "--url", f"http://{served.address}")

    assert run.status == 0
    assert run.out.splitlines()[0] == "all 4 links are well"


def test_an_exporter_that_does_not_answer_is_told_and_breaks_nothing(ready):
    ready.run("check", "shop", "--window", "2024-02-05")
    run = diagnose(ready)

    assert run.status == 0
    assert links(run)["driftmon serve"]["health"] == "warning"
    assert "does not answer" in links(run)["driftmon serve"]["found"]


def test_each_broken_link_is_told_with_what_to_do_and_the_others_all_the_same(ready):
    (ready.folder / "monitors" / "broken.yaml").write_text("name: broken\nlife: {}\n")
    (ready.folder / "data" / "reference.parquet").unlink()
    run = diagnose(ready)

    found = links(run)
    assert run.status == 3
    assert (found["monitor broken"]["health"], found["monitor broken"]["advice"]) == ("error", "mend the file")
    data = [item for item in run.json if item["link"] == "monitor shop"]
    assert "reference data: " in data[0]["found"]
    assert "reference.parquet" in data[0]["found"]
    assert found["results database"]["health"] == "ok"


def test_a_monitor_without_a_baseline_is_told_how_to_get_one(project):
    project.run("db", "upgrade")
    run = diagnose(project)

    assert run.status == 3
    assert links(run)["monitor shop"]["advice"] == "driftmon baseline build shop"


def test_a_monitor_that_was_never_checked_or_long_ago_is_a_warning(ready):
    never = links(diagnose(ready))["monitor shop"]
    ready.run("check", "shop", "--window", "2024-02-01")
    stale = links(diagnose(ready))["monitor shop"]

    assert (never["health"], never["found"]) == ("warning", "was never checked")
    assert stale["health"] == "warning"
    assert stale["found"].startswith("the newest window ended ")
    assert stale["advice"].endswith("a feed that has ended: set live.end in the monitor's file")


def test_a_baseline_of_another_reference_than_the_file_names_is_a_warning(ready):
    ready.run("check", "shop", "--window", "2024-02-05")
    path = ready.folder / "monitors" / "shop.yaml"
    path.write_text(path.read_text().replace("timestamp: time}", "timestamp: time, end: 2024-01-25}"))
    built = ready.run("baseline", "build", "shop").out.split()[1]
    waiting = [item for item in diagnose(ready).json if item["link"] == "monitor shop"]
    ready.run("baseline", "promote", "shop", built)
    promoted = [item for item in diagnose(ready).json if item["link"] == "monitor shop"]

    assert waiting[0]["health"] == "warning"
    assert waiting[0]["found"].endswith("is of the reference all rows; the monitor's file says until 2024-01-25")
    assert "driftmon baseline promote" in waiting[0]["advice"]
    assert len(waiting) == 2
    assert len(promoted) == 1


def test_a_run_that_failed_is_an_error(ready):
    (ready.folder / "data" / "live" / "2024-02-02.parquet").write_bytes(b"PAR1 no longer")
    assert ready.run("check", "shop", "--window", "2024-02-02").status == 3
    found = [item for item in diagnose(ready).json if item["link"] == "monitor shop"]

    assert found[-1]["health"] == "error"
    assert found[-1]["found"] == "the last run failed"


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("postgresql://me:secret@127.0.0.1:1/x", "cannot be reached"),
        ("sqlite:////nowhere/at/all.db", "no driftmon tables yet"),
        ("oracle://x", "oracle"),
    ],
)
def test_a_results_database_that_cannot_be_used_is_told_without_its_password(ready, url, said):
    run = diagnose(ready, "--database", url)

    assert said in links(run)["results database"]["found"]
    assert "secret" not in run.out + run.err


def test_no_folder_of_monitors_is_an_error(ready):
    run = diagnose(ready, "--monitors", "elsewhere")

    assert run.status == 3
    assert links(run)["monitor files"]["health"] == "error"


def test_prometheus_is_asked_for_its_target_our_rules_and_an_alertmanager(ready, served, tmp_path):
    rules = tmp_path / "rules.yml"
    rules.write_text(RULES)
    configuration = CONFIGURATION.format(rules=rules, target=served.address)
    with prometheus(tmp_path / "prometheus", configuration) as url:
        deadline = time.monotonic() + 30
        while True:
            run = diagnose(ready, "--prometheus", url, url=f"http://{served.address}")
            found = links(run)
            if found["prometheus"]["health"] == "ok" and "firing: Driftmon" in found["alert rules"]["found"]:
                break
            assert time.monotonic() < deadline, run.out
            time.sleep(0.2)

    assert found["prometheus"]["found"] == "it scrapes 1 of 1 exporters"
    assert found["alert rules"]["found"] == "1 loaded; firing: DriftmonSomething"
    assert found["alertmanager"]["health"] == "error"
    assert run.status == 3


def test_a_prometheus_without_our_rules_and_with_a_dead_target_is_broken(ready, tmp_path):
    with prometheus(tmp_path / "prometheus", CONFIGURATION.format(rules="", target="127.0.0.1:1")) as url:
        deadline = time.monotonic() + 30
        while "cannot scrape" not in (found := links(diagnose(ready, "--prometheus", url)))["prometheus"]["found"]:
            assert time.monotonic() < deadline, found
            time.sleep(0.2)

    assert found["prometheus"]["health"] == "error"
    assert found["alert rules"]["found"] == "prometheus has none of ours"


@pytest.mark.parametrize(
    ("hook", "health"), [("http://127.0.0.1:9095/driftmon", "warning"), ("http://127.0.0.1:9/ours", "ok")]
)
def test_a_default_receiver_that_is_still_the_shipped_one_is_told(ready, tmp_path, hook, health):
    told = {"name": "default", "webhook_configs": [{"url": hook}]}
    address = f"127.0.0.1:{free_port()}"
    configuration = CONFIGURATION.format(rules="", target="127.0.0.1:1")
    configuration += f"alerting: {{alertmanagers: [{{static_configs: [{{targets: ['{address}']}}]}}]}}\n"
    with (
        alertmanager(tmp_path, address, {"route": {"receiver": "default"}, "receivers": [told]}),
        prometheus(tmp_path / "prometheus", configuration) as url,
    ):
        deadline = time.monotonic() + 30
        while address not in (found := links(diagnose(ready, "--prometheus", url)))["alertmanager"]["found"]:
            assert time.monotonic() < deadline, found
            time.sleep(0.2)

    assert found["alertmanager"]["health"] == health
    assert (hook in found["alertmanager"]["found"]) == (health == "warning")


def test_what_answers_but_is_no_prometheus_is_told(ready, served):
    run = diagnose(ready, "--prometheus", f"http://{served.address}")

    assert "does not answer as Prometheus" in links(run)["prometheus"]["found"]


def test_an_address_that_is_none_is_bad_usage(ready):
    run = diagnose(ready, "--prometheus", "ftp://x")

    assert run.status == 2
    assert "expected http://HOST:PORT" in run.err


@pytest.fixture
def apprise():
    """Its plugins loaded: one of them uses a module that Python will drop, and has a replacement for that."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        pytest.importorskip("apprise").Apprise.instantiate("json://localhost")


def told_of_receivers(project, monkeypatch, *, urls="", config=""):
    monkeypatch.setenv("DRIFTMON_NOTIFY", urls)
    monkeypatch.setenv("DRIFTMON_NOTIFY_CONFIG", str(config))
    run = diagnose(project)
    assert "s3cret" not in run.out + run.err
    return [(item["health"], item["found"]) for item in run.json if item["link"] == "notifications"]


@pytest.mark.usefixtures("apprise")
def test_receivers_of_direct_notifications_are_named_without_their_secrets(ready, monkeypatch):
    assert told_of_receivers(ready, monkeypatch) == []
    found = told_of_receivers(ready, monkeypatch, urls="json://user:s3cret@127.0.0.1:1/hook")

    assert found == [("ok", "1 named, not tried: DRIFTMON_NOTIFY 1 (JSON 127.0.0.1)")]


@pytest.mark.usefixtures("apprise")
def test_what_is_wrong_with_the_configuration_of_receivers_is_told(ready, monkeypatch, tmp_path):
    file = tmp_path / "receivers.yml"
    missing = told_of_receivers(ready, monkeypatch, urls="nonsense://s3cret", config=file)
    file.write_text("urls: {}\n")
    empty = told_of_receivers(ready, monkeypatch, config=file)

    assert [health for health, _ in missing] == ["error", "error"]
    assert "receiver 1 of 1 (nonsense://) is no address" in missing[0][1]
    assert "No such file" in missing[1][1]
    assert [health for health, _ in empty] == ["error"]
    assert "no receiver in it" in empty[0][1]


@pytest.mark.usefixtures("apprise")
def test_a_receiver_that_hears_of_nothing_and_a_monitor_that_nobody_hears_of_are_told(ready, monkeypatch, tmp_path):
    file = tmp_path / "receivers.yml"
    file.write_text("urls:\n  - json://user:s3cret@127.0.0.1:1/hook:\n      tag: paymints\n")
    wrong = told_of_receivers(ready, monkeypatch, config=file)
    file.write_text(file.read_text().replace("paymints", "payments"))
    right = told_of_receivers(ready, monkeypatch, config=file)

    assert wrong == [
        ("warning", "receivers.yml 1 (JSON 127.0.0.1) hears of no monitor"),
        ("warning", "nobody is told about shop"),
    ]
    assert right == [("ok", "1 named, not tried: receivers.yml 1 (JSON 127.0.0.1)")]
