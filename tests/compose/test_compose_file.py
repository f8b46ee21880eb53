"""docker-compose.yml as the real compose program understands it: without an engine, that is what can be known of it."""

from __future__ import annotations

import re

import pytest
import yaml

from driftmon.exporter.service import DEFAULT_LISTEN
from tests.compose.policy import breaches
from tests.compose.stack import COMPOSE_FILE, PROJECT, Stack, compose, read_env

TEXT = COMPOSE_FILE.read_text()


def test_compose_accepts_the_file(env_file):
    done = compose("--profile", "*", "config", "--quiet", env_file=env_file)

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_without_secrets_compose_names_the_script_that_makes_them():
    done = compose("up", "--detach")

    assert done.returncode != 0
    assert "run sh scripts/secrets.sh" in done.stderr
    assert (PROJECT / "scripts" / "secrets.sh").is_file()


@pytest.mark.parametrize("name", read_env(PROJECT / ".env.example"))
def test_a_single_secret_that_is_empty_stops_compose(name, env_file, tmp_path):
    without = tmp_path / ".env"
    without.write_text(re.sub(rf"(?m)^{name}=.*$", f"{name}=", env_file.read_text()))

    done = compose("config", "--quiet", env_file=without)

    assert done.returncode != 0
    assert f"{name} is missing a value: run sh scripts/secrets.sh" in done.stderr


def test_the_variables_of_the_file_are_those_of_the_example():
    example = (PROJECT / ".env.example").read_text()
    documented = re.findall(r"(?m)^#?([A-Z][A-Z0-9_]*)=", example)

    used = set(re.findall(r"(?<!\$)\$\{(\w+)", TEXT))

    assert used - {name for name in used if name.endswith("_IMAGE")} == set(documented)
    assert len(documented) == len(set(documented))


def test_a_port_that_is_commented_in_the_example_is_the_default(stack):
    example = dict(re.findall(r"(?m)^#([A-Z]+)_PORT=(\d+)", (PROJECT / ".env.example").read_text()))
    published = {port["published"] for service in stack.services.values() for port in service.get("ports", [])}

    assert set(example.values()) == published
    assert example["DRIFTMON"] == DEFAULT_LISTEN.rpartition(":")[2]


def test_the_stack_keeps_the_policy(stack):
    assert breaches(stack, TEXT) == []


FAULTS = {
    "image postgres:latest is not pinned": ("postgres:16.11-bookworm", "postgres:latest"),
    "image prom/prometheus:v3 is not pinned": ("prom/prometheus:v3.13.3", "prom/prometheus:v3"),
    "is not of this version of driftmon": ("driftmon:0.1.0", "driftmon:0.0.9"),
    "could be fetched from a registry": ("pull_policy: never # built here, by `migrate`; no registry has it", ""),
    "postgres: runs as root; expected numbers": ('user: "999:999"', "user: root"),
    "grafana: runs as 0:0; expected numbers": ('user: "472:0"', 'user: "0:0"'),
    "prometheus: runs as whoever the image says": ('    user: "65534:65534"\n    command:\n      - --config.file=/etc/pro', "    command:\n      - --config.file=/etc/pro"),
    "exporter: its root is writable": ("read_only: true\n  cap_drop", "cap_drop"),
    "it has capabilities": ("cap_drop: [ALL]", "cap_drop: [NET_RAW]"),
    "it can gain privileges": ('security_opt: ["no-new-privileges:true"]', ""),
    "grafana: privileged is set": ('user: "472:0"', 'user: "472:0"\n    privileged: true'),
    "prometheus: network_mode is set": ('    networks: [metrics]\n    healthcheck:\n      test: [CMD, wget, -q, -O, /dev/null, "http://127.0.0.1:9090', '    network_mode: host\n    healthcheck:\n      test: [CMD, wget, -q, -O, /dev/null, "http://127.0.0.1:9090'),
    "its log grows without end": ("logging: {driver: json-file, options: {max-size: 10m, max-file: \"3\"}}", ""),
    "exporter: restart is 'always'": ('    command: [driftmon, serve, --listen, "0.0.0.0:9877"]', '    command: [driftmon, serve, --listen, "0.0.0.0:9877"]\n    restart: always'),
    "alertmanager: nobody checks its health": ('test: [CMD, wget, -q, -O, /dev/null, "http://127.0.0.1:9093/-/ready"]', "disable: true"),
    "port 3000 is open to the network": ('"127.0.0.1:${GRAFANA_PORT', '"${GRAFANA_PORT'),
    "port 9093 is open to the network": ('"127.0.0.1:${ALERTMANAGER_PORT', '"0.0.0.0:${ALERTMANAGER_PORT'),
    "/etc/prometheus/rules is writable": ("/etc/prometheus/rules:ro", "/etc/prometheus/rules"),
    "/var/run/docker.sock is outside of the repository": ("      - prometheus-data:/prometheus", "      - /var/run/docker.sock:/var/run/docker.sock:ro\n      - prometheus-data:/prometheus"),
    "exporter: it need not know DRIFTMON_DB_PASSWORD": ("postgresql://exporter:${EXPORTER_DB_PASSWORD}", "postgresql://driftmon:${DRIFTMON_DB_PASSWORD}"),
    "GF_SECURITY_ADMIN_PASSWORD is written down": ("${GRAFANA_ADMIN_PASSWORD:?run sh scripts/secrets.sh, which writes it to .env}", "admin"),
    "DRIFTMON_DATABASE_URL is written down": ("postgresql://exporter:${EXPORTER_DB_PASSWORD}@", "postgresql://exporter:exporter@"),
    "GRAFANA_DB_PASSWORD has a default": ("GRAFANA_DB_PASSWORD: ${GRAFANA_DB_PASSWORD}\n    volumes", "GRAFANA_DB_PASSWORD: ${GRAFANA_DB_PASSWORD:-grafana}\n    volumes"),
    "EXPORTER_DB_PASSWORD is on its command line": ('"0.0.0.0:9877"]', '"0.0.0.0:9877", --database, "postgresql://exporter:${EXPORTER_DB_PASSWORD}@postgres/driftmon"]'),
    "waits for migrate to be healthy, which nobody checks": ("migrate: {condition: service_completed_successfully}", "migrate: {condition: service_healthy}"),
    "waits for exporter to end, which starts again": ("depends_on: {grants: {condition: service_completed_successfully}}", "depends_on: {exporter: {condition: service_completed_successfully}}"),
    "waits for airflow-api-server to be started": ("depends_on: {airflow-api-server: {condition: service_healthy}}", "depends_on: [airflow-api-server]"),
    "the database's network reaches the outer world": ("database: {internal: true}", "database: {}"),
    "postgres: is in a network besides": ('user: "999:999"\n  networks: [database]', 'user: "999:999"\n  networks: [database, metrics]'),
    "postgres: the database has a port": ("    shm_size: 256mb", '    shm_size: 256mb\n    ports: ["127.0.0.1:5432:5432"]'),
    "the policy does not say which secrets it may know": ("  prometheus:\n    <<: *contained", "  another:\n    <<: *contained"),
}  # fmt: skip


@pytest.mark.parametrize("told", FAULTS)
def test_the_policy_tells_of_a_planted_fault(told, env_file, tmp_path):
    old, new = FAULTS[told]
    assert old in TEXT
    faulty = TEXT.replace(old, new)
    file = tmp_path / "docker-compose.yml"
    file.write_text(faulty)

    found = breaches(Stack.read(env_file, file), faulty)

    assert any(told in breach for breach in found), found


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("networks: [database, metrics]", "networks: [database, metrix]"),
        ("prometheus-data:/prometheus", "prometheus-dta:/prometheus"),
        ("roles: {condition", "rolls: {condition"),
        ("interval: 10s", "interval: ten seconds"),
        ("retries: 6", "retrys: 6"),
        ("condition: service_healthy", "condition: service_wealthy"),
        ('}:9877"', '}:98777"'),
        ("<<: *driftmon\n", "<<: *drifmon\n"),
    ],
)
def test_compose_itself_refuses_what_it_does_not_understand(old, new, env_file, tmp_path):
    assert old in TEXT
    file = tmp_path / "docker-compose.yml"
    file.write_text(TEXT.replace(old, new))

    assert compose("--profile", "*", "config", "--quiet", file=file, env_file=env_file).returncode != 0


def test_one_service_of_an_up_builds_each_image_and_no_image_lacks_a_builder(env_file):
    done = compose("config", "--format", "json", env_file=env_file)
    services = yaml.safe_load(done.stdout)["services"].values()

    built = [service["image"] for service in services if "build" in service]

    assert sorted(built) == sorted(
        {service["image"] for service in services if service["image"].startswith("driftmon")}
    )


def test_what_is_mounted_from_the_repository_is_there(stack):
    sources = {
        mount["source"]
        for service in stack.services.values()
        for mount in service.get("volumes", [])
        if mount["type"] == "bind"
    }

    # What scripts/secrets.sh makes is not in the repository.
    made = {f"{PROJECT}/secrets/alertmanager", f"{PROJECT}/secrets/notify"}
    assert {source for source in sources if not (PROJECT / source).exists()} <= made


def test_services_that_share_no_network_do_not_name_each_other(stack):
    networks = {name: set(service["networks"]) for name, service in stack.services.items()}
    for name in stack.services:
        said = " ".join([*stack.environment(name).values(), *stack.command(name)])
        named = {other for other in networks if re.search(rf"(@|//){other}\b", said)}

        assert all(networks[name] & networks[other] for other in named), (name, named)


def test_links_are_addresses_that_a_browser_on_this_machine_reaches(env_file, tmp_path):
    moved = tmp_path / ".env"
    moved.write_text(env_file.read_text() + "GRAFANA_PORT=3300\nDRIFTMON_PORT=9977\n")

    stack = Stack.read(moved)

    for name in ("exporter", "airflow-scheduler", "driftmon"):
        assert stack.environment(name)["DRIFTMON_URL"] == "http://127.0.0.1:9977"
        assert stack.environment(name)["DRIFTMON_GRAFANA_URL"] == "http://127.0.0.1:3300"
    assert stack.services["grafana"]["ports"][0]["published"] == "3300"
    assert stack.environment("grafana")["GF_SERVER_ROOT_URL"] == "http://127.0.0.1:3300"


def test_what_runs_checks_knows_whom_to_tell_and_nothing_else_does(stack, env_file, tmp_path):
    named = tmp_path / ".env"
    named.write_text(
        env_file.read_text() + 'DRIFTMON_NOTIFY_CONFIG=receivers.yml\nDRIFTMON_NOTIFY="json://a json://b"\n'
    )

    told = Stack.read(named)

    for name in told.services:
        given = {key: value for key, value in told.environment(name).items() if key.startswith("DRIFTMON_NOTIFY")}
        mounted = [mount["source"] for mount in told.services[name].get("volumes", []) if "notify" in mount["target"]]
        if name in {"airflow-scheduler", "driftmon"}:
            assert given == {
                "DRIFTMON_NOTIFY": "json://a json://b",
                "DRIFTMON_NOTIFY_CONFIG": "/driftmon/notify/receivers.yml",
            }
            assert mounted == [f"{PROJECT}/secrets/notify"]
        else:
            assert (given, mounted) == ({}, [])
    assert stack.environment("airflow-scheduler")["DRIFTMON_NOTIFY_CONFIG"] == ""
    assert stack.environment("airflow-scheduler")["DRIFTMON_NOTIFY"] == ""
    assert re.search(r"(?m)^apprise==", (PROJECT / "requirements" / "runtime.txt").read_text())
    assert re.search(r"REQUIREMENTS: runtime", TEXT)


def test_grafana_finds_dashboards_data_sources_and_its_first_page(stack):
    provisioning = stack.outside("grafana", "/etc/grafana/provisioning")
    (provider,) = yaml.safe_load((provisioning / "dashboards" / "driftmon.yml").read_text())["providers"]
    sources = yaml.safe_load((provisioning / "datasources" / "driftmon.yml").read_text())["datasources"]

    assert list(stack.outside("grafana", provider["options"]["path"]).glob("*.json"))
    assert stack.outside("grafana", stack.environment("grafana")["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]).is_file()
    for source in sources:
        host = re.sub(r"^https?://", "", source["url"]).partition(":")[0]
        assert set(stack.services[host]["networks"]) & set(stack.services["grafana"]["networks"])
        for value in source.get("secureJsonData", {}).values():
            assert value.removeprefix("$") in stack.environment("grafana")
