"""The monitor file that init writes reads back as what the data hold, whatever their columns are called."""

import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import given, settings
from hypothesis import strategies as st

from driftmon.config import load_monitor
from driftmon.scaffold import monitor_file

# Without lone surrogates, which no file holds, and $, which begins a variable of the environment.
TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="$"), max_size=20)
AWKWARD = st.text("ab:#-?{}[]&*!|>'\"%@` ,=<\n~01.e\x7f\x85\ufeff\u2028", max_size=8)
TYPED = st.sampled_from(["true", "null", "no", "~", "1e5", ".inf", "<<", "=", "---", "2013-01-01", "010", "1_000"])


@settings(max_examples=50, deadline=None)
@given(st.lists(TEXTS | AWKWARD | TYPED, min_size=1, max_size=30, unique=True))
def test_every_column_comes_back_under_its_own_name(tmp_path_factory, names):
    folder = tmp_path_factory.mktemp("init")
    (folder / "monitors").mkdir()
    pq.write_table(pa.table([pa.array(["a", "b"] * 100)] * len(names), names=names), folder / "data.parquet")
    file = folder / "monitors" / "data.yaml"

    file.write_text(monitor_file("data", str(folder / "data.parquet")), encoding="utf-8")

    monitor = load_monitor(file, {})
    assert monitor.columns.features == names
    assert monitor.reference.path == str(folder / "data.parquet")
