"""What the containers would run, run here: the same commands, environments, scripts and health checks, on the same roles."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import time
from contextlib import ExitStack
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener

import pytest
import yaml

from driftmon.airflow.api import AirflowApi
from driftmon.airflow.errors import ApiError
from driftmon.airflow.processes import end, find_marked
from driftmon.airflow.settings import MARK
from tests.compose.stack import PROJECT, Native, psql
from tests.servers import free_port

opener = build_opener(ProxyHandler({}))


def until(ask, seconds=120.0):
    """Ask again and again until the answer is true; what it was at the end of patience otherwise."""
    deadline = time.monotonic() + seconds
    while not (answer := ask()) and time.monotonic() < deadline:
        time.sleep(0.1)
    return answer


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The working folder of the containers: monitor files, and the flights that the demo prepares."""
    folder = tmp_path_factory.mktemp("driftmon")
    shutil.copytree(PROJECT / "monitors", folder / "monitors")
    (folder / "demo").symlink_to(PROJECT / "demo")
    return folder


@pytest.fixture(scope="module")
def native(stack, stack_server, folder):
    ports = {name: str(free_port()) for name in ("9877", "8080", "8974")}
    places = {
        "@postgres/": f"@127.0.0.1:{stack_server.port}/",
        "/driftmon/dags": str(PROJECT / "dags"),
        "/driftmon/": f"{folder}/",
        "/opt/airflow": str(folder / "airflow"),
        "/var/log/airflow": str(folder / "logs"),
        "0.0.0.0:9877": f"127.0.0.1:{ports['9877']}",
        "127.0.0.1:9877": f"127.0.0.1:{ports['9877']}",
        "127.0.0.1:8080": f"127.0.0.1:{ports['8080']}",
        "airflow-api-server:8080": f"127.0.0.1:{ports['8080']}",
        "127.0.0.1:8974": f"127.0.0.1:{ports['8974']}",
    }

    def native(service, **more):
        return Native(stack, service, places, more)

    native.ports = ports
    return native


@pytest.fixture(scope="module")
def upgraded(stack, stack_server, native):
    """The results database after the one-shot services, in their order."""
    done = native("migrate").run()
    assert done.returncode == 0, done.stderr
    psql(stack, "grants", stack_server)


@pytest.fixture(scope="module")
def exporter(upgraded, native, folder):
    """The running exporter, and what it answers at a path."""
    service = native("exporter")
    with service.running(folder / "exporter.log", cwd=folder) as process:
        assert until(lambda: service.healthy() or process.poll() is not None, 60)
        assert process.poll() is None, (folder / "exporter.log").read_text()

        def get(path):
            with opener.open(f"http://127.0.0.1:{native.ports['9877']}{path}", timeout=10) as answer:
                return answer.read().decode()

        yield get


def test_the_exporter_serves_with_a_role_that_only_reads(exporter, native):
    text = exporter("/metrics")

    assert "driftmon_exporter_last_refresh_successful 1.0" in text
    assert native("exporter").healthy()
    found = re.search(r"driftmon_links_info\{(.*)\}", text)
    assert found is not None
    assert 'grafana_url="http://127.0.0.1:3000"' in found[1]


def test_a_health_check_says_what_is_wrong(native):
    silent = f"http://127.0.0.1:{free_port()}/readyz"

    done = native("exporter").run("healthy.py", silent)

    assert done.returncode == 1
    assert silent in done.stderr
    assert "refused" in done.stderr


@pytest.fixture(scope="module")
def demo(upgraded, native, folder):
    """What the demo says: it prepares flights, builds a baseline, and checks the past."""
    done = native("demo").run(cwd=folder)
    assert done.returncode == 0, done.stderr
    return done


def test_the_first_thing_to_look_at_is_there_after_one_command(exporter, demo):
    assert "21 windows checked" in demo.stderr
    assert "cancelled (critical)" in demo.stdout
    assert until(
        lambda: 'driftmon_monitor_headline_info{model="arrival-delay",monitor="flights"' in exporter("/metrics")
    )


def test_the_demo_can_be_run_again(demo, native, folder):
    again = native("demo").run(cwd=folder)

    assert again.returncode == 0, again.stderr
    assert "21 had a result already" in again.stderr


def test_people_have_the_command_line(upgraded, native):
    done = native("driftmon").run("driftmon", "db", "current")

    assert done.returncode == 0
    assert "up to date" in done.stdout


def test_airflow_starts_logs_in_and_checks(demo, native, folder):
    monitor = folder / "monitors" / "flights.yaml"
    monitor.write_text(re.sub(r"start: 2013-\S+", "start: 2013-05-28", monitor.read_text()))  # one window and not 21
    names = ("airflow-migrate", "airflow-api-server", "airflow-dag-processor", "airflow-scheduler")
    (folder / "airflow").mkdir()
    more = {
        "AIRFLOW__API__PORT": native.ports["8080"],
        "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_SERVER_PORT": native.ports["8974"],
        MARK: str(folder),  # by which whatever is left of it is found
        "SPT_NOENV": "1",
    }
    migrate, api_server, dag_processor, scheduler = (native(name, **more) for name in names)
    done = migrate.run()
    assert done.returncode == 0, done.stderr
    api = AirflowApi(
        f"http://127.0.0.1:{native.ports['8080']}",
        username="admin",
        password=migrate.stack.secrets["AIRFLOW_ADMIN_PASSWORD"],
    )

    with ExitStack() as running:
        running.callback(end, lambda: find_marked(MARK, str(folder)), grace=20)
        for service, name in ((api_server, "api"), (dag_processor, "dags"), (scheduler, "scheduler")):
            log = folder / f"{name}.log"
            process = running.enter_context(service.running(log, cwd=folder))
            assert until(lambda s=service, p=process: s.healthy() or p.poll() is not None), log.read_text()
            assert process.poll() is None, log.read_text()
        assert until(lambda: "driftmon__flights" in _or_nothing(api.dag_ids))

        api.trigger("driftmon__flights", params={"window": "2013-05-23"})
        api.set_paused("driftmon__flights", paused=False)
        assert until(
            lambda: any(run.run_type == "manual" and run.finished for run in api.dag_runs("driftmon__flights"))
        )

        (run,) = [run for run in api.dag_runs("driftmon__flights") if run.run_type == "manual"]
        assert run.state == "success"
        assert (folder / "airflow" / "passwords.json").stat().st_mode & 0o077 == 0


def _or_nothing(ask):
    try:
        return ask()
    except ApiError:
        return ()


def program(name, package):
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed; it is in the package {package!r}")
    return found


@pytest.fixture
def prometheus_config(stack, tmp_path):
    """The configuration of the stack's Prometheus, with the folders of this machine."""
    (argument,) = [word for word in stack.command("prometheus") if word.startswith("--config.file=")]
    text = stack.outside("prometheus", argument.partition("=")[2]).read_text()
    rules = stack.outside("prometheus", "/etc/prometheus/rules")
    file = tmp_path / "prometheus.yml"
    file.write_text(text.replace("/etc/prometheus/rules", str(rules)))
    return file


def test_promtool_accepts_the_configuration_and_its_rules(prometheus_config):
    promtool = program("promtool", "prometheus")

    done = subprocess.run(
        [promtool, "check", "config", prometheus_config], capture_output=True, text=True, check=False, timeout=60
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 rule files found" in done.stdout


def test_prometheus_scrapes_services_by_their_names_and_ports(stack, prometheus_config):
    config = yaml.safe_load(prometheus_config.read_text())
    targets = [
        target for job in config["scrape_configs"] for item in job["static_configs"] for target in item["targets"]
    ]
    targets += config["alerting"]["alertmanagers"][0]["static_configs"][0]["targets"]

    listening = {"exporter": "9877", "alertmanager": "9093", "localhost": "9090"}
    for target in targets:
        host, _, port = target.partition(":")
        assert listening[host] == port
        if host != "localhost":
            assert "metrics" in stack.services[host]["networks"]
    assert "labels" not in config["global"]


def test_prometheus_runs_with_its_arguments_and_scrapes_the_exporter(
    stack, exporter, native, prometheus_config, tmp_path
):
    prometheus = program("prometheus", "prometheus")
    port = free_port()
    text = prometheus_config.read_text().replace("exporter:9877", f"127.0.0.1:{native.ports['9877']}")
    prometheus_config.write_text(re.sub(r"\d+s\b", "1s", text))
    own = {
        "--config.file=": f"--config.file={prometheus_config}",
        "--storage.tsdb.path=": f"--storage.tsdb.path={tmp_path / 'data'}",
    }
    arguments = [
        next((mine for prefix, mine in own.items() if word.startswith(prefix)), word)
        for word in stack.command("prometheus")
    ]
    log = (tmp_path / "log").open("wb")
    process = subprocess.Popen(
        [prometheus, *arguments, f"--web.listen-address=127.0.0.1:{port}"], stdout=log, stderr=log
    )

    def ask(path):
        try:
            with opener.open(f"http://127.0.0.1:{port}/api/v1/{path}", timeout=5) as answer:
                return json.load(answer)["data"]
        except (URLError, ConnectionError):
            return {}

    try:
        up = until(lambda: ask("query?query=up{job='driftmon'}==1").get("result"), 30)
        assert up, (tmp_path / "log").read_text()
        assert until(lambda: ask("rules").get("groups"), 30)
    finally:
        process.terminate()
        process.wait(30)
        log.close()


def test_amtool_accepts_the_configuration_of_alertmanager(stack):
    amtool = program("amtool", "prometheus-alertmanager")
    (argument,) = [word for word in stack.command("alertmanager") if word.startswith("--config.file=")]
    file = stack.outside("alertmanager", argument.partition("=")[2])

    done = subprocess.run([amtool, "check-config", file], capture_output=True, text=True, check=False, timeout=60)

    assert done.returncode == 0, done.stdout + done.stderr
