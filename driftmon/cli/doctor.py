"""``driftmon doctor``: the whole chain, link by link."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from driftmon.cli.options import DriftmonCommand, database_option, format_option, monitors_option, print_json
from driftmon.settings import database_url, links

if TYPE_CHECKING:
    from pathlib import Path

    from driftmon.doctor import Link

__all__ = ["doctor"]

SERVED = "http://127.0.0.1:9877"
STYLES = {"ok": "green", "warning": "yellow", "error": "red"}
UNHEALTHY = 3


@click.command(cls=DriftmonCommand, short_help="Check the whole chain and say what is wrong.")
@click.option("--url", "pages", help=f"Where driftmon serve answers.  [default: DRIFTMON_URL, or {SERVED}]")
@click.option(
    "--prometheus", envvar="DRIFTMON_PROMETHEUS_URL", show_envvar=True, metavar="URL", help="Look at it, too."
)
@monitors_option
@database_option
@format_option
def doctor(*, pages: str | None, prometheus: str | None, folder: Path, url: str | None, output: str) -> None:
    """
    Check the whole chain, from monitor files to alerts, and say what is wrong and what to do.

    Reads only. Exits with 3 if a link is broken; warnings are no errors.
    """
    from driftmon.doctor import Health, diagnose  # noqa: PLC0415 - keeps --help light

    served = (pages or links(SERVED).driftmon_url).rstrip("/")
    found = list(diagnose(folder, database_url(url), pages=served, prometheus=prometheus, now=datetime.now(UTC)))
    broken = [item for item in found if item.health is Health.ERROR]
    doubtful = [item for item in found if item.health is Health.WARNING]
    if output == "json":
        print_json([_json(item) for item in found])
    else:
        _print(found, _answer(len(found), broken, doubtful))
    if broken:
        raise click.exceptions.Exit(UNHEALTHY)


def _answer(links: int, broken: list[Link], doubtful: list[Link]) -> str:
    from driftmon.words import listed  # noqa: PLC0415 - keeps --help light

    names = [list(dict.fromkeys(item.part for item in items)) for items in (broken, doubtful)]
    if broken:
        beside = f"; look also at: {listed(names[1])}" if doubtful else ""
        return (
            f"{len(broken)} of {links} links {'is' if len(broken) == 1 else 'are'} broken: {listed(names[0])}{beside}"
        )
    if doubtful:
        return f"nothing is broken; look at: {listed(names[1])}"
    return f"all {links} links are well"


def _print(found: list[Link], answer: str) -> None:
    from driftmon.cli.tables import show, table, text  # noqa: PLC0415 - keeps --help light

    made = table("link", "is", "found", "what to do")
    for item in found:
        made.add_row(text(item.part), text(str(item.health), STYLES[item.health]), text(item.said), text(item.advice))
    show(text(answer, "bold"), made)


def _json(item: Link) -> dict[str, str]:
    return {"link": item.part, "health": str(item.health), "found": item.said, "advice": item.advice}
