"""
What ``driftmon doctor`` looks at: the whole chain, link by link, from monitor files to whoever is told.

Reads only, and goes on after whatever is wrong: the next link may be the reason that somebody looks.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode
from urllib.request import urlopen

import yaml

from driftmon.config import BrokenMonitor, Monitor, load_folder
from driftmon.errors import ConfigError, DriftmonError, StoreError, UsageError
from driftmon.notifications.receivers import load
from driftmon.pipeline import live_source
from driftmon.reference import reference_source
from driftmon.settings import notify_config, notify_urls
from driftmon.store import migrate
from driftmon.store.store import Store
from driftmon.words import bounds_text, listed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

    from driftmon.store.records import BaselineRecord, MonitorSnapshot

__all__ = ["Health", "Link", "diagnose"]

NOBODY = "http://127.0.0.1:9095/"
"""Where the receivers of the shipped alertmanager.yml send to, until somebody names others."""

PATIENCE = 5.0
"""Seconds that another program has for an answer."""


class Health(StrEnum):
    """How a link of the chain is."""

    OK = "ok"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True)
class Link:
    """
    One link of the chain.

    Parameters
    ----------
    part : str
        Which: ``monitor flights``, ``results database``, ``prometheus``.
    health : Health
    said : str
        What was found, in a line.
    advice : str
        What to do; empty if nothing.
    """

    part: str
    health: Health
    said: str
    advice: str = ""


def diagnose(folder: Path, database: str, *, pages: str, prometheus: str | None, now: datetime) -> Iterator[Link]:
    """
    Look at every link, one at a time.

    Parameters
    ----------
    folder : Path
        Of the monitor files.
    database : str
        URL of the results database.
    pages : str
        Where ``driftmon serve`` answers.
    prometheus : str, optional
        Where Prometheus answers; not looked at without.
    now : datetime
    """
    monitors, files = _monitor_files(folder)
    yield from files
    store, link = _results(database)
    yield link
    try:
        for monitor in monitors:
            yield from _monitor(monitor, store, now)
    finally:
        if store is not None:
            store.close()
    yield from _receivers(monitors)
    yield _exporter(pages)
    if prometheus is not None:
        yield from _prometheus(prometheus.rstrip("/"))


def _monitor_files(folder: Path) -> tuple[list[Monitor], list[Link]]:
    part = "monitor files"
    try:
        found = load_folder(folder)
    except (ConfigError, UsageError) as exc:
        advice = "name their folder with --monitors, or write one: driftmon init DATA"
        return [], [Link(part, Health.ERROR, str(exc), advice)]
    good = [monitor for monitor in found if isinstance(monitor, Monitor)]
    links = [
        Link(f"monitor {monitor.name}", Health.ERROR, "; ".join(monitor.problems), "mend the file")
        for monitor in found
        if isinstance(monitor, BrokenMonitor)
    ]
    if good:
        links.append(Link(part, Health.OK, f"{len(good)} in {folder}: {listed(monitor.name for monitor in good)}"))
    else:
        links.append(Link(part, Health.WARNING, f"no usable monitor file in {folder}", "write one: driftmon init DATA"))
    return good, links


def _results(database: str) -> tuple[Store | None, Link]:
    part = "results database"
    try:
        version = migrate.current(database)
        if version.up_to_date:
            return Store.open(database, read_only=True), Link(part, Health.OK, str(version))
    except DriftmonError as exc:
        return None, Link(part, Health.ERROR, str(exc), "start it, or name another with DRIFTMON_DATABASE_URL")
    return None, Link(part, Health.WARNING if version.empty else Health.ERROR, str(version), "driftmon db upgrade")


def _monitor(monitor: Monitor, store: Store | None, now: datetime) -> Iterator[Link]:
    yield from _data(monitor)
    if store is None:
        return
    part = f"monitor {monitor.name}"
    try:
        active = next((record for record in store.list_baselines(monitor.name) if record.active), None)
        if active is None:
            yield Link(part, Health.ERROR, "no baseline is in force", f"driftmon baseline build {monitor.name}")
            return
        yield from _reference_of(monitor, active)
        yield _checks(monitor, store.monitor_snapshot(monitor.name), now)
    except StoreError as exc:
        yield Link(part, Health.ERROR, str(exc))


def _reference_of(monitor: Monitor, active: BaselineRecord) -> Iterator[Link]:
    """Checks go on against the old reference, without a word, when the file names another or its new baseline waits to be promoted."""
    counted, wanted = (
        "all rows" if span is None else bounds_text(span, monitor.zone)
        for span in (active.span, monitor.reference_span)
    )
    if counted != wanted:
        said = (
            f"the baseline in force, {active.id[:12]}, is of the reference {counted}; the monitor's file says {wanted}"
        )
        advice = (
            f"driftmon baseline build {monitor.name}, then driftmon baseline promote; or leave it, if it is meant so"
        )
        yield Link(f"monitor {monitor.name}", Health.WARNING, said, advice)


def _data(monitor: Monitor) -> Iterator[Link]:
    for side, source in (("reference", reference_source), ("live", live_source)):
        try:
            columns = len(source(monitor).inspect().columns)
        except DriftmonError as exc:
            health = Health.WARNING if exc.retryable else Health.ERROR
            yield Link(f"monitor {monitor.name}", health, f"{side} data: {exc}", f"driftmon validate {monitor.name}")
        else:
            if not columns:
                yield Link(f"monitor {monitor.name}", Health.ERROR, f"{side} data have no columns", "look at the data")


def _checks(monitor: Monitor, snapshot: MonitorSnapshot, now: datetime) -> Link:
    part = f"monitor {monitor.name}"
    window = snapshot.window
    if snapshot.consecutive_failed_runs:
        failed = snapshot.consecutive_failed_runs
        said = "the last run failed" if failed == 1 else f"the last {failed} runs failed"
        return Link(part, Health.ERROR, said, f"driftmon check {monitor.name} says why")
    if window is None:
        return Link(part, Health.WARNING, "was never checked", f"driftmon check {monitor.name}")
    age = (now - window.end).total_seconds()
    if snapshot.complete:
        return Link(part, Health.OK, f"{snapshot.headline}; its last window: live.end is {monitor.live.end}")
    if age > snapshot.facts.max_window_age:
        said = (
            f"the newest window ended {_hours(age)} ago, expected are at most {_hours(snapshot.facts.max_window_age)}"
        )
        advice = "is the scheduler running? driftmon airflow status; a feed that has ended: set live.end in the monitor's file"
        return Link(part, Health.WARNING, said, advice)
    return Link(part, Health.OK, f"{snapshot.headline}; fresh: its end was {_hours(age)} ago")


def _hours(seconds: float) -> str:
    return f"{seconds / 3600:.0f} hours" if seconds < 48 * 3600 else f"{seconds / 86400:.0f} days"


def _receivers(monitors: list[Monitor]) -> Iterator[Link]:
    """Whom checks tell directly; not a link of the chain where nobody is named."""
    part = "notifications"
    urls, config = notify_urls(), notify_config()
    if not (urls or config):
        return
    found = load(urls, config)
    advice = "mend it (docs/notifications.md); each receiver can be tried: driftmon notify MONITOR --test"
    yield from (Link(part, Health.ERROR, problem, advice) for problem in found.problems)
    if not found.every:
        return
    heard = [monitor for monitor in monitors if monitor.notify != "off"]
    deaf = [each.name for each in found.every if not any(each.hears_of(monitor.owner) for monitor in heard)]
    if deaf:
        said = f"{listed(deaf)} {'hears' if len(deaf) == 1 else 'hear'} of no monitor"
        yield Link(part, Health.WARNING, said, "a tag is the owner of a monitor, in small letters, with - for spaces")
    untold = [monitor.name for monitor in heard if not found.of(monitor.owner)]
    if untold:
        said = f"nobody is told about {listed(untold)}"
        yield Link(part, Health.WARNING, said, "add a receiver for its owner, or one without tags")
    if not (deaf or untold):
        named = listed(each.name for each in found.every)
        yield Link(part, Health.OK, f"{len(found.every)} named, not tried: {named}")


def _exporter(pages: str) -> Link:
    part = "driftmon serve"
    try:
        _ask(f"{pages}/readyz")
    except HTTPError as exc:
        return Link(part, Health.ERROR, f"{pages}: {_reason(exc)}", "its log says why")
    except OSError as exc:
        said = f"{pages} does not answer: {_reason(exc)}"
        return Link(part, Health.WARNING, said, "driftmon serve; or say where it is: --url, DRIFTMON_URL")
    return Link(part, Health.OK, f"{pages} serves metrics and pages")


def _prometheus(url: str) -> Iterator[Link]:
    part = "prometheus"
    try:
        up = _api(url, "query", query='up{job="driftmon"}')["result"]
        groups = _api(url, "rules", type="alert")["groups"]
        receivers = _api(url, "alertmanagers")["activeAlertmanagers"]
    except (OSError, ValueError, KeyError, TypeError) as exc:
        yield Link(
            part, Health.ERROR, f"{url} does not answer as Prometheus: {_reason(exc)}", "say where it is: --prometheus"
        )
        return
    yield _scraped(up)
    yield _rules([rule for group in groups for rule in group["rules"] if rule["name"].startswith("Driftmon")])
    if receivers:
        yield _alertmanager([each["url"] for each in receivers])
    else:
        advice = "add it under alerting: in prometheus.yml (docs/alerts.md)"
        yield Link("alertmanager", Health.ERROR, "prometheus knows none: nobody is told of an alert", advice)


def _alertmanager(urls: list[str]) -> Link:
    """Those that Prometheus tells, and whether anybody listens at the end."""
    part, told = "alertmanager", f"told by prometheus: {listed(urls)}"
    deaf = []
    for url in urls:
        try:
            configuration = json.loads(_ask(f"{url.split('/api/')[0]}/api/v2/status"))["config"]["original"]
            default = _default_receiver(yaml.safe_load(configuration))
        except (OSError, ValueError, KeyError, TypeError, yaml.YAMLError) as exc:
            return Link(part, Health.OK, f"{told}; whom it tells could not be asked: {_reason(exc)}")
        if default.startswith(NOBODY):
            deaf.append(default)
    if deaf:
        said = (
            f"{told}; but its default receiver is {deaf[0]}, the address that it is shipped with: nobody listens there"
        )
        return Link(part, Health.WARNING, said, "say whom it tells in alertmanager.yml (docs/alerts.md)")
    return Link(part, Health.OK, told)


def _default_receiver(configuration: dict[str, Any]) -> str:
    """The address of the first webhook that those are told by who have no route of their own; empty if it is none, or kept secret."""
    name = configuration["route"]["receiver"]
    receivers = [receiver for receiver in configuration["receivers"] if receiver["name"] == name]
    return next((str(hook.get("url", "")) for each in receivers for hook in each.get("webhook_configs") or ()), "")


def _scraped(up: list[Any]) -> Link:
    down = [series["metric"].get("instance", "?") for series in up if series["value"][1] != "1"]
    if not up:
        return Link("prometheus", Health.ERROR, 'it has no target of job "driftmon"', "add one to scrape_configs")
    if down:
        return Link("prometheus", Health.ERROR, f"it cannot scrape {listed(down)}", "is driftmon serve running there?")
    return Link("prometheus", Health.OK, f"it scrapes {len(up)} of {len(up)} exporters")


def _rules(rules: list[Any]) -> Link:
    part = "alert rules"
    wrong = [f"{rule['name']}: {rule.get('lastError')}" for rule in rules if rule.get("health") == "err"]
    if not rules:
        return Link(part, Health.ERROR, "prometheus has none of ours", "add driftmon.rules.yml to rule_files")
    if wrong:
        return Link(part, Health.ERROR, listed(wrong, 2), "promtool check rules driftmon.rules.yml")
    firing = sorted({rule["name"] for rule in rules if rule.get("state") == "firing"})
    return Link(part, Health.OK, f"{len(rules)} loaded; firing: {listed(firing) or 'none'}")


def _api(url: str, what: str, **parameters: str) -> dict[str, Any]:
    answer = json.loads(_ask(f"{url}/api/v1/{what}?{urlencode(parameters)}"))
    data: dict[str, Any] = answer["data"]
    return data


def _ask(url: str) -> bytes:
    if not url.startswith(("http://", "https://")):
        raise UsageError(f"{url!r} is no address of a server; expected http://HOST:PORT")
    with urlopen(url, timeout=PATIENCE) as answer:  # noqa: S310 - http and https only, see above
        content: bytes = answer.read()
        return content


def _reason(error: Exception) -> str:
    reason = error.reason if isinstance(error, URLError) else error
    return f"{type(error).__name__}" if not str(reason) else str(reason).lower()
