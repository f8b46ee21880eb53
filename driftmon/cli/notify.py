"""``driftmon notify``: tell people what changed, or try whether they can be told."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from driftmon.cli.options import DriftmonCommand, database_option, find_monitor, monitors_option, open_store
from driftmon.errors import DriftmonError, UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from driftmon.config import Monitor

__all__ = ["notify"]


@click.command(cls=DriftmonCommand, short_help="Tell people what changed, or send them a test.")
@click.argument("monitor")
@click.option("--test", is_flag=True, help="Send every receiver a test message instead.")
@monitors_option
@database_option
def notify(*, monitor: str, test: bool, folder: Path, url: str | None) -> None:
    """
    Tell the receivers of MONITOR what they do not know yet, as every check does by itself.

    Receivers are named by DRIFTMON_NOTIFY (Apprise URLs) and DRIFTMON_NOTIFY_CONFIG (a file of them).
    """
    found = find_monitor(folder, monitor)
    failed = _test(found) if test else _tell(found, url)
    if failed:
        raise click.exceptions.Exit(DriftmonError.exit_code)


def _test(monitor: Monitor) -> bool:
    """Send everybody a test message; True if somebody did not get it."""
    from driftmon.notifications.message import sample  # noqa: PLC0415 - keeps --help light
    from driftmon.notifications.sending import send  # noqa: PLC0415
    from driftmon.notifications.telling import receivers_of  # noqa: PLC0415
    from driftmon.settings import links  # noqa: PLC0415

    receivers = receivers_of(monitor)
    if not receivers.every and not receivers.problems:
        raise UsageError(_nobody(monitor))
    messages = {receiver: sample(monitor.name, links(), receiver.takes) for receiver in receivers.every}
    results = send(messages)
    for receiver, failure in results.items():
        click.echo(f"{receiver.name}: {'sent' if failure is None else f'not sent: {failure}'}")
    return bool(receivers.problems) or any(failure is not None for failure in results.values())


def _nobody(monitor: Monitor) -> str:
    if monitor.notify == "off":
        return f"{monitor.name}: nobody is told, since its file says notify: off"
    return (
        f"{monitor.name}: nobody is told: set DRIFTMON_NOTIFY to Apprise URLs such as mailto://... or slack://..., or "
        f"DRIFTMON_NOTIFY_CONFIG to a file with a receiver for owner {monitor.owner!r} (docs/notifications.md)"
    )


def _tell(monitor: Monitor, url: str | None) -> bool:
    """Tell what is news; True if somebody could not be told, which is said by then."""
    from driftmon.notifications.telling import tell  # noqa: PLC0415 - keeps --help light

    with open_store(url) as store:
        outcomes = tell(monitor, store)
    for outcome in outcomes:
        if outcome.failure is None:
            click.echo(f"{outcome.receiver}: told")
    if not outcomes:
        click.echo(f"there is nothing to tell about {monitor.name} that its receivers do not know", err=True)
    return any(outcome.failure is not None for outcome in outcomes)
