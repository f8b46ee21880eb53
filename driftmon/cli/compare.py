"""``driftmon compare``: two files, no set-up."""

from __future__ import annotations

import click

from driftmon.cli.options import DriftmonCommand, exit_for, fail_on_option, format_option, print_json, reading
from driftmon.core.verdict import Threshold

__all__ = ["compare"]


@click.command(cls=DriftmonCommand, short_help="Compare two files: what moved, worst column first.")
@click.argument("reference")
@click.argument("live")
@click.option("--column", "columns", multiple=True, metavar="NAME", help="Only this column; may be given again.")
@click.option("--exclude", multiple=True, metavar="NAME", help="Not this column; may be given again.")
@click.option(
    "--kind", "kinds", multiple=True, metavar="NAME=KIND", help="How to cut a column, such as zip=categorical."
)
@click.option(
    "--warning",
    type=click.FloatRange(min=0, min_open=True),
    default=Threshold.warning,
    show_default=True,
    help="Threshold in nats.",
)
@click.option(
    "--critical",
    type=click.FloatRange(min=0, min_open=True),
    default=Threshold.critical,
    show_default=True,
    help="Threshold in nats.",
)
@click.option(
    "--min-rows", type=click.IntRange(min=1), default=100, show_default=True, help="Fewer live rows give no verdict."
)
@click.option("--timezone", default="UTC", show_default=True, help="Of hours and weekdays of timestamps.")
@click.option("--bits", is_flag=True, help="Print bits instead of nats (not in JSON).")
@format_option
@fail_on_option
def compare(  # noqa: PLR0913 - one parameter an option
    *,
    reference: str,
    live: str,
    columns: tuple[str, ...],
    exclude: tuple[str, ...],
    kinds: tuple[str, ...],
    warning: float,
    critical: float,
    min_rows: int,
    timezone: str,
    bits: bool,
    output: str,
    fail_on: str | None,
) -> None:
    """Compare two files or folders (Parquet, CSV, Feather, ORC): what moved, worst column first."""
    from driftmon.cli.tables import show_check  # noqa: PLC0415 - keeps --help light
    from driftmon.comparison import compare as compare_tables  # noqa: PLC0415
    from driftmon.results import check_json  # noqa: PLC0415
    from driftmon.words import BITS, NATS  # noqa: PLC0415

    if warning > critical:
        raise click.UsageError(f"--warning {warning:g} is above --critical {critical:g}")
    with reading("reading") as progress:
        found = compare_tables(
            reference,
            live,
            columns=list(columns) or None,
            exclude=exclude,
            kinds=_kinds(kinds),
            warning=warning,
            critical=critical,
            min_rows=min_rows,
            timezone=timezone,
            progress=progress,
        )
    if output == "json":
        print_json(check_json(found.result))
    else:
        show_check(found.result, unit=BITS if bits else NATS)
    exit_for([found.result], fail_on)


def _kinds(given: tuple[str, ...]) -> dict[str, str]:
    kinds = {}
    for item in given:
        column, separator, kind = item.rpartition("=")
        if not separator or not column:
            raise click.UsageError(f"--kind {item!r} is not NAME=KIND, such as zip=categorical")
        kinds[column] = kind
    return kinds
