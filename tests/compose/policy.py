"""What every service of the stack must be; each breach is a sentence."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import driftmon
from tests.compose.stack import PROJECT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.compose.stack import Stack

__all__ = ["breaches"]

EXACT = re.compile(r":v?\d+\.\d+(\.\d+)?(-[a-z]+)?(@sha256:[0-9a-f]{64})?$")
SECRET = re.compile(r"PASSWORD|SECRET|TOKEN|KEY|WEBHOOK")

MAY_KNOW = {
    "postgres": {"POSTGRES_PASSWORD"},
    "roles": {
        *("POSTGRES_PASSWORD", "AIRFLOW_DB_PASSWORD", "DRIFTMON_DB_PASSWORD"),
        *("EXPORTER_DB_PASSWORD", "GRAFANA_DB_PASSWORD"),
    },
    "migrate": {"DRIFTMON_DB_PASSWORD"},
    "grants": {"DRIFTMON_DB_PASSWORD"},
    "driftmon": {"DRIFTMON_DB_PASSWORD"},
    "demo": {"DRIFTMON_DB_PASSWORD"},
    "exporter": {"EXPORTER_DB_PASSWORD"},
    "grafana": {"GRAFANA_ADMIN_PASSWORD", "GRAFANA_SECRET_KEY", "GRAFANA_DB_PASSWORD"},
    "prometheus": set(),
    "alertmanager": set(),
}
AIRFLOW = {
    *("AIRFLOW_DB_PASSWORD", "DRIFTMON_DB_PASSWORD"),
    *("AIRFLOW_FERNET_KEY", "AIRFLOW_JWT_SECRET", "AIRFLOW_API_SECRET_KEY"),
}
MAY_KNOW |= dict.fromkeys(("airflow-migrate", "airflow-scheduler", "airflow-dag-processor"), AIRFLOW)
MAY_KNOW["airflow-api-server"] = AIRFLOW | {"AIRFLOW_ADMIN_PASSWORD"}

MAY_WRITE = {("driftmon", "/driftmon/monitors")}
"""Folders of this machine that a service may write: `driftmon init` writes a monitor file."""


def breaches(stack: Stack, text: str) -> list[str]:
    """
    What is wrong with a stack; nothing if all is well.

    Parameters
    ----------
    stack : Stack
        As compose understands the file.
    text : str
        The file itself: defaults of variables are gone once compose has read it.
    """
    found = [
        f"{name}: {breach}"
        for name, service in stack.services.items()
        for rule in (_image, _contained, _alone, _long_lived, _ports, _mounts)
        for breach in rule(name, service)
    ]
    found += [f"{name}: {breach}" for name in stack.services for breach in _secrets(name, stack)]
    found += [f"{name}: {breach}" for name, service in stack.services.items() for breach in _waits(service, stack)]
    found += _networks(stack)
    found += [f"{name} has a default" for name in re.findall(r"\$\{(\w+):?[-+]", text) if SECRET.search(name)]
    return found


def _image(_name: str, service: dict[str, Any]) -> Iterator[str]:
    image = service.get("image", "")
    if not EXACT.search(image):
        yield f"image {image} is not pinned to a version"
    if image.startswith("driftmon"):
        if image.rpartition(":")[2] != driftmon.__version__:
            yield f"image {image} is not of this version of driftmon, {driftmon.__version__}"
        if service.get("pull_policy") != "never":
            yield f"image {image} could be fetched from a registry, where it would be somebody else's"


def _contained(name: str, service: dict[str, Any]) -> Iterator[str]:
    user = service.get("user", "")
    if not re.fullmatch(r"[1-9]\d*:\d+", user):
        yield f"runs as {user or 'whoever the image says'}; expected numbers, and not root"
    if not service.get("read_only"):
        yield "its root is writable"
    if service.get("cap_drop") != ["ALL"] or service.get("cap_add"):
        yield "it has capabilities"
    if "no-new-privileges:true" not in service.get("security_opt", []):
        yield "it can gain privileges"
    if "max-size" not in service.get("logging", {}).get("options", {}):
        yield "its log grows without end"
    if name not in MAY_KNOW:
        yield "the policy does not say which secrets it may know"


def _alone(_name: str, service: dict[str, Any]) -> Iterator[str]:
    for key in ("privileged", "pid", "ipc", "network_mode", "devices", "cgroup_parent", "userns_mode"):
        if service.get(key):
            yield f"{key} is set"


def _one_shot(service: dict[str, Any]) -> bool:
    return service.get("restart") == "no"


def _long_lived(_name: str, service: dict[str, Any]) -> Iterator[str]:
    if _one_shot(service):
        return
    if service.get("restart") != "unless-stopped":
        yield f"restart is {service.get('restart')!r}"
    if not service.get("healthcheck", {}).get("test"):
        yield "nobody checks its health"


def _ports(_name: str, service: dict[str, Any]) -> Iterator[str]:
    for port in service.get("ports", []):
        if port.get("host_ip") not in ("127.0.0.1", "::1"):
            yield f"port {port.get('published')} is open to the network"


def _mounts(name: str, service: dict[str, Any]) -> Iterator[str]:
    for mount in service.get("volumes", []):
        if mount["type"] != "bind":
            continue
        if not mount.get("read_only") and (name, mount["target"]) not in MAY_WRITE:
            yield f"{mount['target']} is writable"
        if not mount["source"].startswith(f"{PROJECT}/"):
            yield f"{mount['source']} is outside of the repository"


def _secrets(name: str, stack: Stack) -> Iterator[str]:
    by_value = {value: secret for secret, value in stack.secrets.items()}
    known = set()
    for variable, value in stack.environment(name).items():
        password = urlsplit(value).password if "://" in value else None
        for part in filter(None, (password, value)):
            if part in by_value:
                known.add(by_value[part])
            elif part is password or (SECRET.search(variable) and not variable.endswith(("_FILE", "_URL"))):
                yield f"{variable} is written down in docker-compose.yml"
    for secret in sorted(known - MAY_KNOW.get(name, known)):
        yield f"it need not know {secret}"
    given = " ".join(map(str, [*stack.command(name), stack.services[name].get("labels", "")]))
    for secret, value in stack.secrets.items():
        if value and value in given:
            yield f"{secret} is on its command line"


def _waits(service: dict[str, Any], stack: Stack) -> Iterator[str]:
    for other, wait in service.get("depends_on", {}).items():
        target = stack.services[other]
        if wait["condition"] == "service_healthy" and "healthcheck" not in target:
            yield f"waits for {other} to be healthy, which nobody checks"
        if wait["condition"] == "service_completed_successfully" and not _one_shot(target):
            yield f"waits for {other} to end, which starts again"
        if wait["condition"] == "service_started":
            yield f"waits for {other} to be started, which says nothing"


def _networks(stack: Stack) -> Iterator[str]:
    if not stack.config["networks"]["database"].get("internal"):
        yield "the database's network reaches the outer world"
    for name, service in stack.services.items():
        if "postgres" in service["image"] and set(service["networks"]) != {"database"}:
            yield f"{name}: is in a network besides that of the database"
        if "postgres" in service["image"] and service.get("ports"):
            yield f"{name}: the database has a port"
