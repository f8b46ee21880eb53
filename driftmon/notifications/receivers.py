"""
Receivers of messages, as Apprise knows them: whom the settings name, and what is wrong with those that cannot be read.

Their addresses hold secrets. Nothing here says one: a receiver is named by its number and its service.
"""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal

from driftmon.notifications.message import LONGEST_TITLE, Format
from driftmon.notifications.quiet import quiet

__all__ = ["Receiver", "Receivers", "load"]

WITH_HOST = frozenset({"json", "jsons", "xml", "xmls", "form", "forms", "mailto", "mailtos"})
"""Schemes whose address names a host; in others, what stands there is a token."""

MARKUP: dict[str, Literal["html", "chat"]] = {"html": "html", "markdown": "chat"}
"""By what Apprise calls it; anything else is plain text."""

INCIDENTS = frozenset({"pagerduty"})
"""Schemes under which every message opens an incident, which Apprise cannot close: nobody is woken up to hear that all is well."""

MOST = {"pagerduty": 1_024}
"""Characters that a service takes, where that is fewer than Apprise knows."""

READ_SECONDS = 8.0
"""How long a receiver may take to answer, where its address says nothing: one that is given up may have taken the message."""

EXTRA = "direct notifications need Apprise; run: pip install 'driftmon-pipeline[notify]'"


@dataclass(frozen=True)
class Receiver:
    """
    Somebody who is told.

    Parameters
    ----------
    key : str
        Tells receivers apart, in the database; says nothing about the address.
    name : str
        For people: ``DRIFTMON_NOTIFY 2 (Slack)``.
    owners : frozenset of str
        Whose monitors it hears of, as `_slug` writes them; empty for those of everybody.
    takes : Format
        How it takes messages.
    service : object
        Apprise's own.
    hears_ends : bool
        Whether it is told that everything is over.
    """

    key: str
    name: str
    owners: frozenset[str]
    takes: Format
    service: Any = field(compare=False, repr=False)  # it holds the address
    hears_ends: bool = True

    def hears_of(self, owner: str) -> bool:
        """Whether messages about the monitors of an owner are for it."""
        return not self.owners or _slug(owner) in self.owners


@dataclass(frozen=True)
class Receivers:
    """Those that can be told, and what is wrong with the others: a line each, without a secret."""

    every: tuple[Receiver, ...] = ()
    problems: tuple[str, ...] = ()

    def of(self, owner: str) -> tuple[Receiver, ...]:
        """Those that hear of an owner's monitors."""
        return tuple(receiver for receiver in self.every if receiver.hears_of(owner))


def load(urls: str, config: str) -> Receivers:
    """
    The receivers that somebody named.

    Parameters
    ----------
    urls : str
        Apprise URLs, white space between them.
    config : str
        Path of a configuration file of Apprise, YAML or text; its tags are owners. Empty for none.
    """
    if not urls.split() and not config:
        return Receivers()
    try:
        import apprise  # noqa: F401, PLC0415 - an optional package, and slow to load
    except ImportError:
        return Receivers(problems=(EXTRA,))
    found: list[Receiver] = []
    problems: list[str] = []
    for services, problem in [_from_urls(urls.split()), _from_file(config)]:
        problems += problem
        for service, name in services:
            key = _key(service)
            same = sum(receiver.key.partition("#")[0] == key for receiver in found)
            found.append(_receiver(service, name, f"{key}#{same + 1}" if same else key))
    return Receivers(tuple(found), tuple(problems))


def _from_urls(urls: list[str]) -> tuple[list[tuple[Any, str]], list[str]]:
    from apprise import Apprise  # noqa: PLC0415 - see load

    found, problems = [], []
    for number, url in enumerate(urls, 1):
        with quiet():
            service = Apprise.instantiate(url, asset=_asset(), suppress_exceptions=True)
        scheme = _scheme(url)
        if service is None:
            problems.append(
                f"DRIFTMON_NOTIFY: receiver {number} of {len(urls)} ({scheme}) is no address that Apprise knows; nobody is told "
                "there: see docs/notifications.md"
            )
            continue
        found.append((service, f"DRIFTMON_NOTIFY {number} ({_service_name(service, scheme)})"))
    return found, problems


def _from_file(config: str) -> tuple[list[tuple[Any, str]], list[str]]:
    if not config:
        return [], []
    path = Path(config)
    try:
        path.read_bytes()
    except OSError as exc:
        return [], [f"DRIFTMON_NOTIFY_CONFIG: {config}: {exc.strerror or exc}; nobody is told who is named there"]
    with quiet() as said:
        services = _read(path)
    wrong = [record for record in said if record.levelno >= logging.WARNING]
    problems = []
    if not services:
        problems.append(
            f"DRIFTMON_NOTIFY_CONFIG: {config}: there is no receiver in it that Apprise can read; see docs/notifications.md"
        )
    elif wrong:
        problems.append(
            f"DRIFTMON_NOTIFY_CONFIG: {config}: Apprise cannot read all of it{_places(wrong)}; nobody is told there"
        )
    names = (_service_name(service, str(getattr(service, "protocol", ""))) for service in services)
    return [
        (service, f"{path.name} {number} ({name})")
        for number, (service, name) in enumerate(zip(services, names, strict=True), 1)
    ], problems


def _read(path: Path) -> list[Any]:
    from apprise import AppriseConfig  # noqa: PLC0415 - see load

    read = AppriseConfig(asset=_asset())
    read.add(f"file://{path.absolute()}")
    try:
        return list(read.servers())
    except Exception:  # noqa: BLE001 - of the parser, whose words can hold an address
        return []


def _places(records: list[logging.LogRecord]) -> str:
    """The lines and entries that Apprise complained of, and nothing else of what it said."""
    text = "\n".join(record.getMessage() for record in records)
    found = re.findall(r"\b(?:line|entry) #?(\d+)", text)
    return f" (line or entry {', '.join(dict.fromkeys(found))})" if found else ""


def _asset() -> Any:  # noqa: ANN401 - Apprise has no types of its own here
    from apprise import AppriseAsset  # noqa: PLC0415 - see load

    # In memory, and without pictures from elsewhere: nothing is written to the disk of whoever runs a check.
    return AppriseAsset(
        app_id="driftmon",
        app_desc="driftmon",
        app_url="",
        async_mode=False,
        image_url_mask="",
        image_url_logo="",
        storage_mode="memory",
    )


def _receiver(service: Any, name: str, key: str) -> Receiver:  # noqa: ANN401 - Apprise's
    title = min(int(service.title_maxlen), LONGEST_TITLE)
    scheme = str(service.secure_protocol)
    body = MOST.get(scheme, int(service.body_maxlen))
    if service.socket_read_timeout == type(service).socket_read_timeout:
        service.socket_read_timeout = READ_SECONDS
    return Receiver(
        key=key,
        name=name,
        owners=frozenset(_slug(tag) for tag in map(str, service.tags)),
        takes=Format(title, body, MARKUP.get(service.notify_format.value, "plain")),
        service=service,
        hears_ends=scheme not in INCIDENTS,
    )


def _key(service: Any) -> str:  # noqa: ANN401 - Apprise's
    # Of the address without its secrets: a new password is no new receiver, and nobody can try passwords against it.
    return sha256(service.url(privacy=True).encode()).hexdigest()[:32]


def _scheme(url: str) -> str:
    match = re.match(r"([a-z0-9+]{1,20})://", url, re.IGNORECASE)
    return f"{match[1].lower()}://" if match else "without a scheme"


def _service_name(service: Any, scheme: str) -> str:  # noqa: ANN401 - Apprise's
    host = f" {service.host}" if scheme.removesuffix("://") in WITH_HOST and service.host else ""
    return f"{service.service_name}{host}"


def _slug(owner: str) -> str:
    """
    An owner as a tag can say it: tags have no spaces.

    Examples
    --------
    >>> _slug("ML Platform"), _slug("ml-platform")
    ('ml-platform', 'ml-platform')
    """
    return re.sub(r"[\W_]+", "-", owner.casefold()).strip("-")
