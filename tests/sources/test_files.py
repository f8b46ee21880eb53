"""Rows in files: which files a path means, what is read of them, and what is wrong with some."""

from __future__ import annotations

import gzip
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import fsspec
import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.feather
import pyarrow.parquet as pq
import pytest
from fsspec.implementations.memory import MemoryFileSystem

from driftmon.core.layout import Kind
from driftmon.core.window import Window
from driftmon.errors import DataNotReady, SourceError, SourceUnavailable
from driftmon.sources.base import Selection
from driftmon.sources.files import FilesSource
from driftmon.sources.memory import MemorySource
from driftmon.sources.places import Place, locate

if TYPE_CHECKING:
    from driftmon.core.baseline import Learnt

ROWS = pa.table({"x": [0.5, 1.5, 1.5, 2.5], "c": ["a", "b", "b", None]})
KINDS = {"c": Kind.CATEGORICAL}
MAY = Window(datetime(2013, 5, 1, 4, tzinfo=UTC), datetime(2013, 5, 2, 4, tzinfo=UTC))


@pytest.fixture
def learnt() -> Learnt:
    return MemorySource(ROWS).learn(Selection(kinds=KINDS))


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def write(path: str, table: pa.Table = ROWS) -> None:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, path)


def text(path: str, content: str | bytes) -> str:
    Path(path).write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def rows_of(path: str | Path, window: Window | None = None, **options: Any) -> int:
    return FilesSource(path, **options).count({}, window).rows


def error_of(path: str, kind: type[SourceError] = SourceError, **options: Any) -> str:
    with pytest.raises(kind) as caught:
        FilesSource(path, **options).count({}, MAY)
    assert type(caught.value) is kind
    assert "\n" not in str(caught.value)
    return str(caught.value)


class Watch:
    """Somebody who watches the progress."""

    def __init__(self) -> None:
        self.seen: list[tuple[int, int | None]] = []

    def __call__(self, rows: int, total: int | None) -> None:
        self.seen.append((rows, total))


# --- which files a path means ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "files"),
    [
        ("data/a.parquet", 1),
        ("data", 5),
        ("data/", 5),
        ("./data", 5),
        ("data/*.parquet", 2),
        ("data/?.parquet", 1),
        ("data/[ab]*.parquet", 2),
        ("data/*", 5),
        ("data/**/*.parquet", 4),
        ("data/deep", 3),
        ("data/deep/*/c.parquet", 1),
        ("data/_hidden/*.parquet", 1),
        ("data/_*/*.parquet", 1),
        ("*/deep", 3),
        ("**/d.pq", 1),
    ],
)
def test_a_path_means_a_file_a_folder_or_a_glob(path: str, files: int) -> None:
    for name in (
        "a.parquet",
        "bb.parquet",
        "deep/er/c.parquet",
        "deep/d.pq",
        "deep/e.parquet",
        "_hidden/f.parquet",
        "deep/.g.parquet",
    ):
        write(f"data/{name}")
    text("data/deep/README.md", "words")
    text("data/_SUCCESS", "")

    assert rows_of(path) == 4 * files
    assert rows_of(Path.cwd() / path) == 4 * files


def test_a_name_with_brackets_is_that_file_if_there_is_one() -> None:
    write("data/part[1].parquet")
    write("odd[1]/x.parquet")

    assert rows_of("data/part[1].parquet") == 4
    assert rows_of("odd[1]") == 4
    assert rows_of("data/part[[]1].parquet") == 4


def test_a_file_whose_name_tells_nothing_is_looked_into() -> None:
    write("data/part-00000")
    write("live.bin")
    pyarrow.feather.write_feather(ROWS, "snapshot")
    text("table.txt", "x;y\n1;2\n")

    assert rows_of("data") == rows_of("live.bin") == rows_of("snapshot") == 4
    assert rows_of("table.txt") == 1


def test_a_home_folder_and_a_file_url_are_local(monkeypatch: pytest.MonkeyPatch) -> None:
    write("my data/a.parquet")
    monkeypatch.setenv("HOME", str(Path.cwd()))

    assert rows_of("~/my data/a.parquet") == 4
    assert rows_of(f"file://{Path.cwd()}/my%20data") == 4


def test_urls_of_fsspec_are_read() -> None:
    for name in ("a.parquet", "deep/b.parquet", "_no.parquet"):
        with fsspec.open(f"memory://bucket/day=3/{name}", "wb") as stream:
            pq.write_table(ROWS, stream)

    assert rows_of("memory://bucket") == 8
    assert rows_of("memory://bucket/*/*.parquet") == 4
    assert rows_of("memory://bucket/day=3/a.parquet") == 4
    assert "day" in {column.name for column in FilesSource("memory://bucket").inspect().columns}


@pytest.mark.parametrize(
    ("url", "path", "shown"),
    [
        ("s3://bucket/a b/{1}*.parquet?region=us-east-1", "bucket/a b/{1}*.parquet", "s3://bucket/a b/{1}*.parquet"),
        ("s3://key:secret@bucket/x?region=us-east-1", "bucket/x", "s3://bucket/x"),
        ("s3://bucket/data/?.csv?region=us-east-1", "bucket/data/?.csv", "s3://bucket/data/?.csv"),
        ("s3://bucket?region=us-east-1", "bucket", "s3://bucket"),
        ("gs://bucket/x/y.parquet", "bucket/x/y.parquet", "gs://bucket/x/y.parquet"),
        ("abfs://container@account.dfs.core.windows.net/x", "container/x", "abfs://container/x"),
    ],
)
def test_urls_of_object_stores_lead_to_arrow_file_systems_and_show_no_secrets(url: str, path: str, shown: str) -> None:
    place = locate(url)

    assert (place.path, place.name, place.remote) == (path, shown, True)


def test_a_url_that_nothing_reads_is_an_error() -> None:
    assert "zzz://x: cannot be read" in error_of("zzz://x/y.parquet")


class Unreachable(MemoryFileSystem):
    """A file system behind a network that is down."""

    protocol = "unreachable"

    def info(self, _path: str, **_options: Any) -> dict[str, Any]:
        raise ConnectionError("name or service not known")


class Flaky(MemoryFileSystem):
    """A file system that fails with errors of its own making."""

    protocol = "flaky"

    def info(self, _path: str, **_options: Any) -> dict[str, Any]:
        raise RuntimeError("endpoint\ndid not answer")


class Refusing(MemoryFileSystem):
    """A file system that its reader may not read."""

    protocol = "refusing"

    def info(self, _path: str, **_options: Any) -> dict[str, Any]:
        raise PermissionError("who are you?")


class Denying(MemoryFileSystem):
    """An object store that says no in words of its own."""

    protocol = "denying"

    def info(self, _path: str, **_options: Any) -> dict[str, Any]:
        raise OSError("When getting information for key: AWS Error ACCESS_DENIED during HeadObject operation")


def test_a_file_that_may_not_be_read_is_an_error_that_trying_again_does_not_help() -> None:
    fsspec.register_implementation("refusing", Refusing, clobber=True)
    fsspec.register_implementation("denying", Denying, clobber=True)

    assert error_of("refusing://b/x.parquet").endswith(": no permission to read it; check its mode, or the credentials")
    assert "denying://b/x.parquet: access is refused: " in error_of("denying://b/x.parquet")


class Down(MemoryFileSystem):
    """An object store behind a network that is down, in the words of its client."""

    protocol = "down"

    def info(self, _path: str, **_options: Any) -> dict[str, Any]:
        raise OSError("When getting information for key 'corrupt.parquet': AWS Error NETWORK_CONNECTION: curlCode: 7")


def test_a_file_system_that_cannot_be_reached_may_be_later() -> None:
    for system in (Unreachable, Flaky, Down):
        scheme = system.protocol
        fsspec.register_implementation(scheme, system, clobber=True)

        said = error_of(f"{scheme}://bucket/corrupt.parquet", SourceUnavailable)

        assert said.startswith(f"{scheme}://bucket/corrupt.parquet: cannot be reached: ")
        assert said.endswith("; try again later")


# --- the window in the path --------------------------------------------------------------------------------------------------


def test_the_window_in_a_path_is_written_in_the_zone_of_the_monitor() -> None:
    write("live/2013-05-01.parquet")
    write("live/2013/05/to-02.parquet")

    assert rows_of("live/{start:%Y-%m-%d}.parquet", MAY, timezone="America/New_York") == 4
    assert rows_of("live/{start:%Y/%m}/to-{end:%d}.parquet", MAY, timezone="America/New_York") == 4
    late = Window(datetime(2013, 5, 1, tzinfo=UTC), datetime(2013, 5, 2, tzinfo=UTC))
    with pytest.raises(DataNotReady, match=r"live/2013-04-30\.parquet: no file for the window 2013-05-01T00:00:00Z"):
        rows_of("live/{start:%Y-%m-%d}.parquet", late, timezone="America/New_York")


def test_a_path_of_a_window_without_files_may_be_filled_later() -> None:
    write("live/day=2013-05-01/a.parquet")

    assert rows_of("live/day={start:%Y-%m-%d}", MAY) == 4
    for path in ("live/{end:%Y-%m-%d}.parquet", "live/day={end:%Y-%m-%d}/", "live/{end:%Y}-*/*.csv", "no/{start:%d}/*"):
        assert "no file for the window 2013-05-01T04:00:00Z/2013-05-02T04:00:00Z yet" in error_of(path, DataNotReady)


def test_inspection_takes_the_newest_file_of_any_window() -> None:
    write("live/2013-05-01.parquet", pa.table({"old": [1]}))
    write("live/2013-05-02.parquet")

    inspection = FilesSource("live/{start:%Y-%m-%d}.parquet").inspect()

    assert [column.name for column in inspection.columns] == ["x", "c"]
    assert inspection.rows == 5
    with pytest.raises(DataNotReady, match="no file of any window"):
        FilesSource("other/{start:%Y-%m-%d}.parquet").inspect()


def test_a_window_has_to_be_said_if_the_path_depends_on_it() -> None:
    with pytest.raises(SourceError, match=r"path 'live/\{start:%d\}.csv' depends on the window: say which"):
        FilesSource("live/{start:%d}.csv").learn(Selection())


@pytest.mark.parametrize(
    "path", ["{start}.csv", "{start:}.csv", "{start:day}.csv", "{end:%d}{day:%d}.csv", "{start:%d", "{start.x:%d}"]
)
def test_a_malformed_placeholder_is_an_error_that_shows_a_good_one(path: str) -> None:
    assert "such as {start:%Y-%m-%d}" in error_of(path)


# --- hive partitions ---------------------------------------------------------------------------------------------------------


def days(count: int = 4) -> None:
    for n in range(count):
        write(f"lake/day=2013-05-{n + 1:02d}/city=New%20York/x.parquet")


def test_folders_that_name_columns_are_columns() -> None:
    days()
    write("lake/day=__HIVE_DEFAULT_PARTITION__/city=Rome/x.parquet")
    source = FilesSource("lake")

    learnt = source.learn(Selection(kinds=KINDS))
    profile = source.count(learnt.columns, segments={"city": ["New York"]})

    assert list(learnt.columns) == ["x", "c", "day.weekday", "city"]
    assert profile.rows == 20
    assert profile.histograms["day.weekday"].missing == 4
    assert profile.segments["city=New York"].rows == 16


def test_the_day_of_a_partition_can_be_the_timestamp_and_other_days_are_not_opened() -> None:
    days()
    Path("lake/day=2013-05-20").mkdir()
    text("lake/day=2013-05-20/broken.parquet", "no Parquet at all")

    assert rows_of("lake", MAY, timestamp="day", timezone="America/New_York") == 4
    with pytest.raises(SourceError, match=r"broken\.parquet: cannot be read"):
        rows_of("lake", timestamp="day")


def test_a_column_of_the_file_comes_before_the_folder_of_its_name(learnt: Learnt) -> None:
    write("lake/c=zzz/a.parquet")

    assert FilesSource("lake").count(learnt.columns) == MemorySource(ROWS).count(learnt.columns)


def test_a_day_that_is_none_is_an_error_that_names_the_file() -> None:
    write("lake/day=someday/a.parquet")

    assert "timestamp column 'day' in lake/day=someday/a.parquet: value 'someday' is not an ISO date" in error_of(
        "lake", timestamp="day"
    )


# --- what is read ------------------------------------------------------------------------------------------------------------


def test_only_row_groups_that_may_hold_the_window_are_read() -> None:
    at = [datetime(2013, 5, 1) + timedelta(minutes=n) for n in range(10_000)]
    for kind in (pa.timestamp("ms"), pa.timestamp("ns"), pa.timestamp("us", "Asia/Kolkata"), pa.date32()):
        table = pa.table(
            {"at": pa.array(at, pa.timestamp("us", getattr(kind, "tz", None))).cast(kind), "x": range(10_000)}
        )
        pq.write_table(table, "big.parquet", row_group_size=1_000)
        watch = Watch()
        source = FilesSource("big.parquet", timestamp="at", progress=watch)

        profile = source.count({}, Window(datetime(2013, 5, 3, tzinfo=UTC), datetime(2013, 5, 4, tzinfo=UTC)))

        assert profile.rows == 1_440
        assert watch.seen[-1][0] == watch.seen[-1][1]
        assert 1_440 <= watch.seen[-1][0] <= 4_000


def test_progress_tells_rows_and_how_many_there_are() -> None:
    write("a.parquet", pa.table({"x": np.arange(200_000) / 7, "y": np.arange(200_000) / 3}))
    watch = Watch()
    source = FilesSource("a.parquet", progress=watch)

    learnt = source.learn(Selection())
    source.count(learnt.columns)

    assert [rows for rows, _ in watch.seen[:4]] == [65_536, 131_072, 196_608, 200_000]
    assert watch.seen[3] == watch.seen[7] == (200_000, 200_000)


def test_long_values_are_read_in_small_batches() -> None:
    values = [f"{n:04d}" + "x" * 1_000_000 for n in range(100)]
    table = pa.table({"s": values, "x": range(100)})
    pq.write_table(table, "long.parquet", use_dictionary=False)
    pyarrow.csv.write_csv(table, "long.csv")
    selection = Selection(include=["s"], kinds={"s": Kind.CATEGORICAL})

    for path in ("long.parquet", "long.csv"):
        watch = Watch()
        source = FilesSource(path, progress=watch)
        learnt = source.learn(selection)

        assert learnt.columns["s"].singletons == 100
        assert watch.seen[0][0] <= 70


def test_columns_with_dots_and_odd_names_are_read() -> None:
    write(
        "odd.parquet",
        pa.table({"a": [[1], [2]], "a.b": [1.5, 2.5], "s": [{"t": 1}, {"t": 2}], "s.t": [1.5, 1.5], 'q"': [1.5, 1.5]}),
    )
    source = FilesSource("odd.parquet")

    learnt = source.learn(Selection())

    assert list(learnt.columns) == ["a.b", "s.t", 'q"']
    assert {item.column for item in learnt.excluded} == {"a", "s"}
    assert source.count(learnt.columns).rows == 2


# --- columns that differ between files ---------------------------------------------------------------------------------------


def test_a_column_that_one_live_file_lacks_is_a_problem_that_names_the_file(learnt: Learnt) -> None:
    write("live/a.parquet")
    write("live/b.parquet", ROWS.drop_columns(["x"]))

    profile = FilesSource("live").count(learnt.columns)

    assert profile.problems == {"x": "gone: not in live/b.parquet; it has 'c'"}
    assert profile.rows == profile.histograms["c"].rows == 8


@pytest.mark.parametrize("older", [{"c": ["a", "a"]}, {"c": ["a", "a"], "x": ["1", "2"]}])
def test_files_without_a_row_of_the_window_have_no_say_in_what_is_counted(
    learnt: Learnt, older: dict[str, Any]
) -> None:
    april = pa.array([datetime(2013, 4, 30, 23)] * 2, pa.timestamp("us"))
    write("live/april.parquet", pa.table({**older, "at": april}))
    write("live/may.parquet", ROWS.append_column("at", pa.array([datetime(2013, 5, 1, 12)] * 4, pa.timestamp("us"))))
    source = FilesSource("live", timestamp="at")
    june = Window(MAY.start + timedelta(days=31), MAY.end + timedelta(days=31))

    profile = source.count(learnt.columns, MAY, segments={"c": ["b"]})

    assert profile == MemorySource(ROWS).count(learnt.columns, segments={"c": ["b"]})
    assert set(source.history(learnt.columns, [MAY]).counts) == {("x", None), ("c", None)}
    assert source.count(learnt.columns, june).problems == {}
    assert set(source.count(learnt.columns, Window(MAY.start - timedelta(days=1), MAY.end)).problems) == {"x"}


def test_a_column_of_another_type_in_one_live_file_is_a_problem_that_names_the_file(learnt: Learnt) -> None:
    write("live/a.parquet")
    write("live/b.parquet", pa.table({"x": ["1"], "c": ["a"]}))
    write("live/c.parquet", pa.table({"x": pa.nulls(2), "c": ["a", "a"]}))

    profile = FilesSource("live").count(learnt.columns)

    assert "type changed from float64 to string in live/b.parquet" in profile.problems["x"]
    assert profile.histograms["c"].rows == 7


def test_reference_files_that_disagree_leave_the_column_out_with_the_reason() -> None:
    write("past/a.parquet", pa.table({"x": [1.5, 1.5], "n": [1, 2], "gone": [1.0, 1.0], "late": pa.nulls(2)}))
    write("past/b.parquet", pa.table({"x": ["u", "u"], "n": [1.5, 2.5], "new": [1.0, 1.0], "late": [1.5, 1.5]}))

    learnt = FilesSource("past").learn(Selection())

    assert list(learnt.columns) == ["n", "late"]
    assert {item.column: item.reason for item in learnt.excluded} == {
        "x": "type changes between files: float64, then string in past/b.parquet",
        "gone": "not in every file: past/b.parquet lacks it",
        "new": "not in every file: past/a.parquet lacks it",
    }


def test_reference_text_that_its_owner_takes_for_something_else_is_left_out_with_file_and_value() -> None:
    Path("past").mkdir()
    text("past/a.csv", "x,b,y\n1.5,maybe,1\ncheap,true,1\n")
    text("past/b.csv", "x,b,y\n1.5,true,1\n2.5,false,1\n")

    learnt = FilesSource("past").learn(Selection(kinds={"x": Kind.NUMERIC, "b": Kind.BOOLEAN}))

    assert list(learnt.columns) == ["y"]
    assert [item.reason.split(";")[0] for item in learnt.excluded] == [
        "value 'cheap' is not a number in past/a.csv",
        "value 'maybe' is not true or false in past/a.csv",
    ]


# --- what is wrong with files ------------------------------------------------------------------------------------------------


def test_a_missing_path_is_an_error_in_one_line() -> None:
    Path("empty").mkdir()
    Path("words").mkdir()
    text("words/notes.md", "words")
    text("notes.md", "words")

    assert error_of("no.parquet") == "no.parquet: no such file or folder; check the path"
    assert error_of("no/*.parquet") == "no/*.parquet: no file matches; check the path"
    assert error_of("") == "the path is empty; expected a file, a folder, a glob or a URL"
    assert error_of("/dev/null") == "/dev/null: no such file or folder; check the path"
    assert "empty: the folder has no data files" in error_of("empty")
    assert "words: the folder has no data files" in error_of("words")
    assert "notes.md: of no known format; expected a name that ends with .parquet" in error_of("notes.md")


def damaged(path: str) -> str:
    content = Path(path).read_bytes()
    Path(path).write_bytes(content[: len(content) // 2])
    return path


@pytest.mark.parametrize("name", ["a.parquet", "a.feather", "a.orc"])
def test_damaged_files_are_errors_that_name_the_file(name: str) -> None:
    big = pa.table({"x": np.random.default_rng(0).normal(size=10_000)})
    Path("data").mkdir()
    if name.endswith("orc"):
        from pyarrow import orc

        orc.write_table(big, f"data/{name}")
    else:
        (pq.write_table if name.endswith("parquet") else pyarrow.feather.write_feather)(big, f"data/{name}")

    damaged(f"data/{name}")

    assert error_of("data").startswith(f"data/{name}: cannot be read: ")
    text(f"data/{name}", "")
    assert error_of("data").startswith(f"data/{name}: cannot be read: ")


def test_a_parquet_file_damaged_inside_is_an_error_that_names_the_file(learnt: Learnt) -> None:
    big = pa.table({"x": np.random.default_rng(0).normal(size=100_000), "c": ["a"] * 100_000})
    pq.write_table(big, "a.parquet", compression="zstd", use_dictionary=False, write_page_index=False)
    content = bytearray(Path("a.parquet").read_bytes())
    content[20_000:60_000] = bytes(40_000)
    Path("a.parquet").write_bytes(content)

    with pytest.raises(SourceError, match=r"a\.parquet: cannot be read: "):
        FilesSource("a.parquet").count(learnt.columns)


def test_duplicate_column_names_are_an_error_that_names_the_file() -> None:
    pq.write_table(pa.table([[1], [2]], names=["a", "a"]), "twice.parquet")
    text("twice.csv", "a,b,a\n1,2,3\n")

    for path in ("twice.parquet", "twice.csv"):
        assert error_of(path) == f"{path}: column name 'a' comes more than once; give each column a name of its own"


# --- text --------------------------------------------------------------------------------------------------------------------


def kinds_of(path: str) -> dict[str, str]:
    return {name: column.dtype for name, column in FilesSource(path).learn(Selection()).columns.items()}


def test_the_meaning_of_text_is_read_from_the_whole_file() -> None:
    lines = ["n,f,b,d,t,z,c,e,late"]
    lines += [
        f"0{n % 7},{n % 5}.5,{'TRUE' if n % 2 else 'false'},2013-05-{n % 9 + 1:02d},2013-05-01T{n % 24:02d}:00,2013-05-01 10:00Z,k{n % 4},,{n % 3}"
        for n in range(99_999)
    ]
    lines += ["NA,nan,None,,NaT,null,NA,,x"]
    text("a.csv", "\n".join(lines))

    assert kinds_of("a.csv") == {
        "n": "int64", "f": "float64", "b": "bool", "d.weekday": "date", "t.hour": "timestamp", "t.weekday": "timestamp",
        "z.hour": "timestamp", "z.weekday": "timestamp", "c": "string", "late": "string",
    }  # fmt: skip
    excluded = {item.column: item.reason for item in FilesSource("a.csv").learn(Selection()).excluded}
    assert excluded == {"e": "no values in the reference"}


def test_a_code_with_a_leading_zero_stays_what_its_kind_says() -> None:
    text("a.csv", "zip\n" + "01234\n1234\n" * 30)

    as_text = FilesSource("a.csv").learn(Selection(kinds={"zip": Kind.CATEGORICAL})).columns["zip"]
    as_number = FilesSource("a.csv").learn(Selection()).columns["zip"]

    assert as_text.layout.categories == ("01234", "1234")  # type: ignore[union-attr]
    assert len(as_number.layout.edges) == 2  # type: ignore[union-attr]


def test_na_is_a_value_of_categories_and_missing_elsewhere() -> None:
    text("a.csv", "c,n,q\n" + 'NA,NA,""\nIT,1.5,\n' * 30)
    source = FilesSource("a.csv")

    learnt = source.learn(Selection(kinds={"q": Kind.CATEGORICAL}))
    profile = source.count(learnt.columns)

    assert learnt.columns["c"].layout.categories == ("IT", "NA")  # type: ignore[union-attr]
    assert profile.histograms["n"].missing == 30
    assert profile.histograms["q"].counts == (30, 0, 30)


@pytest.mark.parametrize(
    ("content", "row"),
    [
        ('x,c\n1,a\n2,"b\n3,c\n', 3),
        ('x,c\n1,a\n"2,b\n3,c\n', 3),
        ('x,c\n1,a\n2,"b', 3),
        ('x,c\n1,a\n2,"b ""quoted"" \n', 3),
        ('x\n1\n"2\n3\n', 3),
        ('x\n1\n"2', 3),
        ("x,c,d\n" + "1,a,b\n" * 2_000_000 + '"1,a,b\n', 2_000_002),
    ],
    ids=[
        "last field",
        "first field",
        "no end of line",
        "doubled quotes",
        "one column",
        "one column, no end",
        "far down",
    ],
)
def test_a_quote_that_is_never_closed_is_an_error_with_its_row(content: str, row: int) -> None:
    text("cut.csv", content)

    assert f"cut.csv: a quote in row {row} is never closed: " in error_of("cut.csv")


@pytest.mark.parametrize(
    ("content", "rows"),
    [
        ("x,c\n1,a\n2,b", 2),
        ("x,c\n1,a\n2,b\n\n", 2),
        ('x,c\n1,5" pipe\n2,6"', 2),
        ('x,c\n1,"a"\n2,"b"', 2),
        ("x\n1\n2", 2),
        ("x\n1\n2\n", 2),
        ("x\n1\n\n2\n\n", 4),
        ("x", 0),
        ("x\n", 0),
        ("x,c", 0),
        ('x\n"1\n1"\n",\n"\n', 2),
        ("x\n" + "1\n" * 5_000_000, 5_000_000),
        ("x\n" + "1\n" * (2**22 - 1), 2**22 - 1),
        ("x\n" + "1\n" * (2**23 - 2) + "23", 2**23 - 1),
        ("x,c\n" + "1,2\n" * (2**21 - 1), 2**21 - 1),
    ],
    ids=range(15),
)
def test_every_row_of_a_file_counts_however_it_ends(content: str, rows: int) -> None:
    text("a.csv", content)

    assert rows_of("a.csv") == rows


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiters_line_ends_and_byte_order_marks_are_recognised(delimiter: str, ending: str) -> None:
    header = delimiter.join(["x", '"odd, one; two|three"', "c"])
    lines = [header, *(delimiter.join(["1.5", "2", '"a\nb"']) for _ in range(3))]
    text("a.csv", b"\xef\xbb\xbf" + ending.join(lines).encode())

    inspection = FilesSource("a.csv").inspect()

    assert [column.name for column in inspection.columns] == ["x", "odd, one; two|three", "c"]
    assert rows_of("a.csv") == 3


def test_one_column_of_text_has_a_row_for_each_line() -> None:
    text("a.csv", "x\n1\n\n3\n")
    source = FilesSource("a.csv")

    assert source.count(source.learn(Selection()).columns).histograms["x"].missing == 1


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("x,c\n1,a\n2,b,z\n", "bad.csv: row 3 has 3 fields, expected 2: '2,b,z'; quote fields that contain ','"),
        ("x;c\n1;a\n2\n", "bad.csv: row 3 has 1 field, expected 2: '2'; write its other fields"),
        ("", "bad.csv: is empty; expected a header with the names of the columns"),
        ("\n\n", "bad.csv: is empty"),
        (b"x,c\n1,\xff\xfe\n", "bad.csv: not UTF-8"),
        (b"\xff\xfex\x00,c\n1,a\n", "bad.csv: the header is not UTF-8"),
        ("x,c\n1," + "y" * 20_000_000 + "\n2,b\n" * 9, "bad.csv: a row is longer than 8 MiB"),
    ],
    ids=["too many", "too few", "empty", "blank", "not UTF-8", "UTF-16", "too long"],
)
def test_text_that_cannot_be_taken_apart_is_an_error_with_its_place(
    content: str | bytes, said: str, learnt: Learnt
) -> None:
    text("bad.csv", content)

    with pytest.raises(SourceError) as caught:
        FilesSource("bad.csv").count(learnt.columns)

    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400


def test_the_row_number_of_a_bad_row_is_right_far_down() -> None:
    text("bad.csv", "x,c\n" + "1,a\n" * 3_000_000 + "1,a,b\n")

    assert "row 3000002 has 3 fields" in error_of("bad.csv")


def test_a_value_that_is_no_number_is_that_columns_problem_with_file_and_value(learnt: Learnt) -> None:
    text("a.csv", "x,c\n1.5,a\n2.5,b\n")
    Path("live").mkdir()
    text("live/a.csv", "x,c\n1.5,a\nNA,b\n")
    text("live/b.csv", "x,c\n1.5,a\ncheap,b\n")

    profile = FilesSource("live").count(learnt.columns)

    assert profile.problems == {"x": "value 'cheap' is not a number in live/b.csv; 'x' is float64 in the reference"}
    assert profile.histograms["c"].rows == 4


def test_cut_off_compressed_text_is_an_error() -> None:
    packed = gzip.compress(b"x,c\n" + b"".join(b"%d,a\n" % (n * 7_919 % 10_007) for n in range(100_000)))
    text("a.csv.gz", packed[: len(packed) // 2])
    text("b.csv.gz", b"not compressed")
    text("c.csv.gz", packed + packed.replace(b"x,c", b"x,c"))

    assert error_of("a.csv.gz").startswith("a.csv.gz: cannot be read: ")
    assert error_of("b.csv.gz").startswith("b.csv.gz: cannot be read: ")


def test_a_header_without_rows_is_an_empty_profile(learnt: Learnt) -> None:
    text("a.csv", "x,c\n")

    profile = FilesSource("a.csv").count(learnt.columns)

    assert (profile.rows, profile.problems) == (0, {})


def test_a_column_gone_from_a_file_without_rows_is_a_problem_too(learnt: Learnt) -> None:
    text("a.csv", "x\n")
    write("a.parquet", ROWS.slice(0, 0).select(["x"]))

    for path in ("a.csv", "a.parquet"):
        assert set(FilesSource(path).count(learnt.columns).problems) == {"c"}


def test_a_header_field_without_a_name_is_left_out_with_the_reason() -> None:
    text("a.csv", ",x\n1,1.5\n2,1.5\n")

    learnt = FilesSource("a.csv").learn(Selection())

    assert list(learnt.columns) == ["x"]
    assert [(item.column, item.reason) for item in learnt.excluded] == [("", "its header is empty; give it a name")]


def test_dates_of_text_windows_are_wall_clocks_of_the_zone() -> None:
    text("a.csv", "at,x\n2013-04-30,1\n2013-05-01,2\n2013-05-01T23:59:59.999999,3\n2013-05-02T03:00Z,4\n,5\n")

    assert rows_of("a.csv", MAY, timestamp="at", timezone="America/New_York") == 3


def test_a_learnt_date_column_counts_from_any_format() -> None:
    days = [date(2013, 5, 1) + timedelta(days=n % 9) for n in range(200)]
    table = pa.table({"day": days, "x": [1.5] * 200})
    pyarrow.csv.write_csv(table, "a.csv")
    learnt = MemorySource(table).learn(Selection())

    assert FilesSource("a.csv").count(learnt.columns) == MemorySource(table).count(learnt.columns)


def test_a_single_file_is_opened_once_for_each_thing_that_is_asked(tmp_path: Path, monkeypatch: Any) -> None:
    start = datetime(2013, 1, 1)
    rows = pa.table({"t": [start + timedelta(hours=n) for n in range(500)], "x": [n / 7 for n in range(500)]})
    pq.write_table(rows, tmp_path / "rows.parquet", row_group_size=50)
    opened: list[str] = []
    open_ = Place.open
    monkeypatch.setattr(Place, "open", lambda place, file: opened.append(file.path) or open_(place, file))
    source = FilesSource(tmp_path / "rows.parquet", timestamp="t", progress=lambda *_: None)
    days = [Window(datetime(2013, 1, day, tzinfo=UTC), datetime(2013, 1, day + 1, tzinfo=UTC)) for day in (2, 3)]

    learnt = source.learn(Selection())
    counted = [source.count(learnt.columns, days[0]).rows, len(opened)]
    history = source.history(learnt.columns, days)

    assert counted == [24, 2]
    assert history.counts["x", None].sum() == 48
    assert len(opened) == 3
