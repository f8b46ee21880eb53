"""``driftmon prune``: let go of what is old."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from driftmon.cli.options import DriftmonCommand, bars, database_option, format_option, open_store, print_json
from driftmon.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from driftmon.store.pruning import Pruned
    from driftmon.store.retention import Retention
    from driftmon.store.room import Room
    from driftmon.store.store import Store

__all__ = ["prune"]

NOTHING = (
    "nothing to let go: no more is so old, but for what the newest windows stand on (60 windows a monitor, 240 where they "
    "overlap, and all since a drift began)"
)


@click.command(cls=DriftmonCommand, short_help="Let go of old results: bins first, windows later.")
@click.argument("names", metavar="[MONITOR]...", nargs=-1)
@click.option(
    "--older-than",
    "windows",
    metavar="AGE",
    envvar="DRIFTMON_PRUNE_OLDER_THAN",
    show_envvar=True,
    help="Windows that ended so long ago go, such as 400d or 52w; with them runs, baselines and notifications of the time.",
)
@click.option(
    "--bins-older-than",
    "bins",
    metavar="AGE",
    envvar="DRIFTMON_PRUNE_BINS_OLDER_THAN",
    show_envvar=True,
    help="Of windows that ended so long ago the bins go; the numbers and verdicts of every column stay.",
)
@click.option("--dry-run", is_flag=True, help="Only say what would go.")
@click.option("--compact", is_flag=True, help="Also give all free room back to the disk; others wait meanwhile.")
@database_option
@format_option
def prune(  # noqa: PLR0913 - one parameter an option
    *,
    names: tuple[str, ...],
    windows: str | None,
    bins: str | None,
    dry_run: bool,
    compact: bool,
    url: str | None,
    output: str,
) -> None:
    """
    Let go of old results of MONITORs, or of all that the results database has.

    The newest window of a monitor stays, as does what sustained drift and "since when" stand on, and every baseline that is in force
    or that a stored window was checked against. Checks and the exporter may go on meanwhile; run it again after an interruption.
    """
    retention = _retention(windows, bins)
    with open_store(url, read_only=dry_run) as store:
        before = store.room()
        done = dict(_pruned(store, _chosen(store, names), retention, dry_run=dry_run))
        if compact and dry_run:
            click.echo("nothing is compacted in a dry run", err=True)
        elif compact or done:
            store.give_back(compact=compact)
        after = store.room()
    if output == "json":
        print_json(_as_json(done, before, after, retention, dry_run=dry_run))
    else:
        _say(done, before, after, dry_run=dry_run)


def _retention(windows: str | None, bins: str | None) -> Retention:
    from driftmon.store.retention import Retention  # noqa: PLC0415 - keeps --help light

    if windows is None and bins is None:
        raise UsageError(
            "say what is old: --older-than AGE for whole windows, --bins-older-than AGE for their bins, such as "
            "--bins-older-than 90d --older-than 400d"
        )
    now = datetime.now(UTC)
    until = Retention(_until(now, "--older-than", windows), _until(now, "--bins-older-than", bins))
    if until.windows is not None and until.bins is not None and until.windows > until.bins:
        raise UsageError(
            f"--bins-older-than {bins} is longer than --older-than {windows}: bins go with their window at the latest"
        )
    return until


def _until(now: datetime, option: str, age: str | None) -> datetime | None:
    from driftmon.schedule import parse_duration  # noqa: PLC0415 - keeps --help light

    if age is None:
        return None
    try:
        return now - parse_duration(age)
    except ValueError as exc:
        raise UsageError(f"{option} {exc}") from exc
    except OverflowError:
        raise UsageError(f"{option} {age!r} is before the year 1; give an age such as 400d") from None


def _chosen(store: Store, names: Sequence[str]) -> list[str]:
    from driftmon.words import nearest  # noqa: PLC0415 - numpy, not for --help

    known = store.monitors()
    for name in names:
        if name not in known:
            raise UsageError(f"monitor {name!r} is not in the results database: {nearest(name, known)}")
    return list(dict.fromkeys(names)) or known


def _pruned(store: Store, names: Sequence[str], retention: Retention, *, dry_run: bool) -> Iterator[tuple[str, Pruned]]:
    """What went of each monitor of which something did."""
    from driftmon.store.pruning import Pruned  # noqa: PLC0415 - keeps --help light

    with bars() as progress:
        for name in progress.track(names, description="monitors"):
            parts = [store.outlook(name, retention)] if dry_run else store.prune(name, retention)
            total = sum(parts, Pruned())
            if total != Pruned():
                yield name, total


def _as_json(
    done: dict[str, Pruned], before: Room, after: Room, retention: Retention, *, dry_run: bool
) -> dict[str, Any]:
    from driftmon.core.window import isoformat  # noqa: PLC0415 - keeps --help light
    from driftmon.store.pruning import Pruned  # noqa: PLC0415 - as above

    until = {"windows": retention.windows, "bins": retention.bins}
    return {
        "dry_run": dry_run,
        "until": {name: None if instant is None else isoformat(instant) for name, instant in until.items()},
        "monitors": [{"monitor": name} | vars(own) for name, own in done.items()],
        "total": vars(sum(done.values(), Pruned())),
        "database": {"bytes_before": before.used, "bytes_after": after.used, "free": after.free},
    }


def _say(done: dict[str, Pruned], before: Room, after: Room, *, dry_run: bool) -> None:
    from driftmon.cli.tables import show, table  # noqa: PLC0415 - rich
    from driftmon.store.pruning import Pruned  # noqa: PLC0415 - keeps --help light

    total = sum(done.values(), Pruned())
    if done:
        made = table(
            "monitor",
            ">bins of windows",
            ">windows",
            ">results",
            ">steps",
            ">runs",
            ">baselines",
            ">receivers",
            ">size",
        )
        for name, own in [*done.items(), *([("all", total)] if len(done) > 1 else [])]:
            counts = (own.bins, own.windows, own.results, own.steps, own.runs, own.baselines, own.receivers)
            made.add_row(name, *(f"{count:,}" for count in counts), _bytes(own.size))
        show(made)
    verb = "would go" if dry_run else "went"
    click.echo(f"{verb}: about {_bytes(total.size)}" if done else NOTHING)
    if done and not dry_run:
        click.echo(_room(before, after))


def _room(before: Room, after: Room) -> str:
    said = f"the database takes {_bytes(after.used)}, {_bytes(before.used)} before"
    if after.free is None:
        return f"{said}; later results fill the room inside, --compact gives it back to the disk"
    if after.free > after.used // 10:
        return f"{said}; {_bytes(after.free)} of it is free for later results, --compact gives it back to the disk"
    return said


def _bytes(number: int) -> str:
    """
    A size as people read it.

    Examples
    --------
    >>> _bytes(512), _bytes(2_345_678), _bytes(3_000_000_000)
    ('1 kB', '2.3 MB', '3.0 GB')
    """
    for unit, size in (("GB", 1e9), ("MB", 1e6)):
        if number >= size:
            return f"{number / size:.1f} {unit}"
    return f"{-(-number // 1000)} kB"
