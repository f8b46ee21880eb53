"""The results database as the rest of driftmon sees it: values in, values out, one transaction a call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from driftmon.errors import UsageError
from driftmon.store import (
    baselines,
    breaches,
    checks,
    history,
    migrate,
    monitors,
    notifications,
    promotions,
    pruning,
    rolling,
    room,
    snapshots,
    timeline,
)
from driftmon.store.engine import Database
from driftmon.store.records import RunRecord

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from datetime import datetime
    from types import TracebackType

    from sqlalchemy import URL

    from driftmon.core.baseline import Baseline
    from driftmon.core.check import CheckResult
    from driftmon.core.histogram import Profile
    from driftmon.core.verdict import Status
    from driftmon.core.window import Window
    from driftmon.store.notifications import Claim, Told
    from driftmon.store.pruning import Pruned
    from driftmon.store.records import BaselineRecord, MonitorFacts, MonitorSnapshot, SnapshotKey
    from driftmon.store.references import ColumnKey
    from driftmon.store.retention import Retention
    from driftmon.store.room import Room
    from driftmon.store.timeline import Timeline, WindowPoint
    from driftmon.streaks import Streak

__all__ = ["Store"]


class Store:
    """
    An open results database.

    Every method is one transaction: it reads one state of the database, or changes all that it says or nothing. Any number of
    processes may work on one database at once; those that write about the same monitor wait for each other. All methods raise
    `StoreError` where the database refuses, `StoreUnavailable` where trying again can help.

    Examples
    --------
    >>> with Store.open("sqlite:///driftmon.db") as store:  # doctest: +SKIP
    ...     store.list_baselines("flights")
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    @classmethod
    def open(cls, url: str | URL, *, read_only: bool = False) -> Self:
        """
        Open a results database that has this driftmon's schema; a new SQLite file, and its folder, are made if there are none.

        Parameters
        ----------
        url : str or URL
            ``sqlite:///FILE`` or ``postgresql://USER:PASSWORD@HOST:PORT/DATABASE``.
        read_only : bool
            Change nothing, and create nothing.

        Raises
        ------
        UsageError
            If the URL cannot be read, or names another kind of database.
        StoreVersionError
            If the database is empty, or has another schema version; with the command that helps.
        StoreUnavailable, StoreError
            If it cannot be reached; if it refuses.
        """
        database = Database(url, read_only=read_only)
        try:
            migrate.ensure(database)
        except BaseException:
            database.close()
            raise
        return cls(database)

    def close(self) -> None:
        """Let go of the database."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # Written by the pipeline

    def register_monitor(self, facts: MonitorFacts, now: datetime) -> None:
        """Write down, or bring up to date, what a monitor's file says."""
        with self._database.writing() as connection:
            monitors.register(connection, facts, now=now)

    def save_baseline(self, monitor: str, baseline: Baseline, *, now: datetime) -> bool:
        """Keep a baseline, for good; False if the monitor has one of this content already. It is not promoted."""
        with self._database.writing() as connection:
            return baselines.save(connection, monitors.lock(connection, monitor), baseline, now=now)

    def promote(self, monitor: str, id_prefix: str, *, now: datetime) -> str:
        """
        Let checks use a baseline from now on; gives its whole id.

        Raises
        ------
        UsageError
            If not exactly one baseline of the monitor has an id that begins so.
        """
        with self._database.writing() as connection:
            monitor_id = monitors.lock(connection, monitor)
            baseline = promotions.find(connection, monitor, id_prefix)
            promotions.promote(connection, monitor_id, baseline, now=now)
            return str(baseline.hash)

    def save_check(
        self, result: CheckResult, facts: MonitorFacts, *, scheduled: bool = True, started_at: datetime, now: datetime
    ) -> CheckResult:
        """
        Keep the result of a check in the place of an earlier one of the same window, with the run that made it.

        Parameters
        ----------
        result : CheckResult
            Of a monitor and a window, against a baseline in this database.
        facts : MonitorFacts
            What the monitor's file says now.
        scheduled : bool
            False for a window that the schedule does not have: sustained drift passes it over.
        started_at, now : datetime
            Of the run.

        Returns
        -------
        CheckResult
            The same, with what is known of sustained drift.

        Raises
        ------
        UsageError
            If the result belongs to no monitor, another monitor, or no window.
        StoreError
            If a number is NaN or infinite. Nothing is written then.
        """
        if result.window is None or result.monitor != facts.name:
            raise UsageError(
                f"result of monitor {result.monitor!r} and window {result.window} cannot be stored for {facts.name!r}: "
                "it must be of this monitor and of a window"
            )
        with self._database.writing() as connection:
            monitor_id = monitors.register(connection, facts, now=now)
            monitors.add_run(connection, monitor_id, RunRecord(facts.name, result.window, started_at, now))
            return checks.save(connection, monitor_id, result, result.window, scheduled=scheduled, now=now)

    def record_run(self, run: RunRecord) -> None:
        """
        Keep an attempt that came to no result; `save_check` keeps the others.

        Raises
        ------
        UsageError
            If the monitor was never registered.
        """
        with self._database.writing() as connection:
            monitors.record_run(connection, run)

    def save_step(
        self, monitor: str, baseline: Baseline, window: Window, profile: Profile, *, place: str, now: datetime
    ) -> None:
        """Keep the counts of a step of rolling windows in the place of earlier ones; see `driftmon.store.rolling`."""
        with self._database.writing() as connection:
            rolling.save(connection, monitor, baseline, place=place, counts=(window, profile), now=now)

    def load_steps(
        self, monitor: str, baseline: Baseline, windows: Collection[Window], *, place: str
    ) -> dict[Window, Profile]:
        """The counts of those of some steps that were kept of this place and in these layouts."""
        with self._database.reading() as connection:
            return rolling.load(connection, monitor, baseline, place=place, windows=windows)

    # Read by the pipeline, by people

    def load_baseline(self, monitor: str, id_prefix: str | None = None) -> Baseline:
        """
        The promoted baseline, or the one whose id begins so.

        Raises
        ------
        BaselineMissing
            If none is promoted, with the command that helps.
        UsageError
            If not exactly one baseline of the monitor has an id that begins so.
        """
        with self._database.reading() as connection:
            if id_prefix is None:
                return baselines.load(connection, promotions.active(connection, monitor))
            return baselines.load(connection, promotions.find(connection, monitor, id_prefix))

    def list_baselines(self, monitor: str) -> list[BaselineRecord]:
        """The baselines of a monitor, the newest first."""
        with self._database.reading() as connection:
            return promotions.records(connection, monitor)

    def load_checks(
        self,
        monitor: str,
        *,
        window: Window | None = None,
        start: datetime | None = None,
        end: datetime | None = None,
        limit: int | None = None,
        column: str | Collection[str] | None = None,
    ) -> list[CheckResult]:
        """
        Past results, the newest window first.

        Parameters
        ----------
        window : Window, optional
            Only this one.
        start, end : datetime, optional
            Only windows that lie within.
        limit : int, optional
            Only so many, of the newest.
        column : str or collection of str, optional
            Leave out all other columns; the segments of these stay.
        """
        query = history.between(history.checks_of(monitor), start, end)
        if window is not None:
            query = history.exactly(query, window)
        with self._database.reading() as connection:
            return history.load(connection, monitor, history.newest_first(query).limit(limit), column=column)

    def checked_windows(self, monitor: str, start: datetime, end: datetime) -> dict[Window, str]:
        """The windows within ``[start, end)`` that have a result, each with the id of the baseline it was checked against."""
        query = history.between(history.checks_of(monitor), start, end)
        with self._database.reading() as connection:
            return history.checked_windows(connection, query)

    def alerted(self, monitor: str, start: datetime, end: datetime) -> dict[Window, list[tuple[str, str | None]]]:
        """
        The windows within ``[start, end)`` in which columns drifted, each with those columns and their segments, oldest first.

        A verdict of ``warning`` or ``critical`` counts; a window that has none is not there.
        """
        query = history.between(history.checks_of(monitor), start, end)
        with self._database.reading() as connection:
            return history.alerted(connection, query)

    # Read by reports and pages

    def timeline(
        self,
        monitor: str,
        *,
        end: datetime | None = None,
        limit: int,
        column: str | None = None,
        segments: bool = False,
    ) -> Timeline:
        """The last windows of a monitor, by `end`, in a few numbers a column; see `driftmon.store.timeline`."""
        with self._database.reading() as connection:
            return timeline.timeline(connection, monitor, end=end, limit=limit, column=column, segments=segments)

    def strips(self, names: Collection[str] | None = None, *, limit: int) -> dict[str, tuple[WindowPoint, ...]]:
        """The last windows of several monitors, or of all, each the oldest first; a monitor without a check is not there."""
        with self._database.reading() as connection:
            return timeline.strips(connection, names, limit=limit)

    def breached_since(
        self, monitor: str, keys: Collection[ColumnKey], *, end: datetime | None = None
    ) -> dict[ColumnKey, dict[Status, Streak]]:
        """For columns (and segments) that breach in the newest window by `end`: since when, by severity."""
        with self._database.reading() as connection:
            row_id = monitors.find(connection, monitor)
            return {} if row_id is None else breaches.breached_since(connection, row_id, keys, end=end)

    def last_failure(self, monitor: str) -> RunRecord | None:
        """The newest run of a monitor if it failed; None if it did not, or there was none."""
        with self._database.reading() as connection:
            return timeline.last_failure(connection, monitor)

    # What people were told

    def told(self, monitor: str) -> dict[str, Told]:
        """What the receivers of a monitor's messages believe, by receiver; those that were never told anything are not there."""
        with self._database.reading() as connection:
            return notifications.told(connection, monitor)

    def claim_telling(self, monitor: str, receivers: Collection[str], claim: Claim) -> dict[str, Told]:
        """Claim the right to tell receivers; gives those that nobody else is telling now, each with what it believes."""
        with self._database.writing() as connection:
            return notifications.claim(connection, monitor, receivers, claim)

    def finish_telling(self, monitor: str, claim: Claim, news: Mapping[str, Told]) -> None:
        """Give up a claim, and keep what was told while it lasted; who is not among the news was not told."""
        with self._database.writing() as connection:
            notifications.finish(connection, monitor, claim, news)

    # Pruned

    def monitors(self) -> list[str]:
        """The names of all monitors that anything is stored of, sorted."""
        with self._database.reading() as connection:
            return monitors.names(connection)

    def outlook(self, monitor: str, retention: Retention) -> Pruned:
        """What `prune` would let go of a monitor; changes nothing."""
        with self._database.reading() as connection:
            row_id = monitors.find(connection, monitor)
            return pruning.Pruned() if row_id is None else pruning.outlook(connection, row_id, retention)

    def prune(self, monitor: str, retention: Retention) -> Iterator[Pruned]:
        """
        Let go of what is old of a monitor, in transactions of a fraction of a second; gives what went after each.

        The newest window stays, and what sustained drift and rows of breaches up to it stand on; so does the baseline in force,
        and those that a stored window was checked against.
        """
        with self._database.reading() as connection:
            row_id = monitors.find(connection, monitor)
            if row_id is None or not pruning.has_old(connection, row_id, retention):
                return
        while True:
            with self._database.writing() as connection:
                done = pruning.prune_some(connection, row_id, retention)
            if done == pruning.Pruned():
                return
            yield done

    def room(self) -> Room:
        """The bytes that the database takes."""
        return room.room(self._database)

    def give_back(self, *, compact: bool = False) -> None:
        """Make the room of what was pruned useful, see `driftmon.store.room`."""
        room.give_back(self._database, compact=compact)

    # Read by the exporter

    def snapshot_keys(self) -> list[SnapshotKey]:
        """One key a registered monitor, by name; costs one small row a monitor, however many results there are."""
        with self._database.reading() as connection:
            return monitors.keys(connection)

    def monitor_snapshot(self, monitor: str) -> MonitorSnapshot:
        """
        All that is shown of a monitor now. The newest window is the one that ends last, whenever it was checked.

        Raises
        ------
        UsageError
            If the monitor was never registered.
        """
        with self._database.reading() as connection:
            return snapshots.snapshot(connection, monitor)
