"""A shop with planted faults, checked for real, exported and scraped: what the queries of dashboards are run against."""

from __future__ import annotations

import json
import urllib.error
import urllib.parse
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import psycopg
from psycopg.rows import dict_row

from driftmon.config import load_folder
from driftmon.errors import SourceError
from driftmon.pipeline import build_baseline, run_check
from driftmon.store.migrate import upgrade
from driftmon.store.store import Store
from tests.dashboards.grafana import Page, interpolated, macros_expanded
from tests.store.views import role_of_the_document

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.dashboards.grafana import Query
    from tests.servers import PostgreSQL

__all__ = ["HOSTILE", "LONG", "World", "configuration", "filled"]

DAYS = 9
"""Live days that are checked."""

ROWS = 600

HOSTILE = (
    'say "hi" it\'s; DROP TABLE driftmon_checks; -- $__timeFilter(window_start) ${monitor} {{ column }} 50% \\ a\nb'
)
LONG = "עמודה" * 60
"""300 letters, from right to left."""

STORES = ["north", 'O\'Neil "x" $usd(net) {{ . }}\n--']

MONITOR = """
name: {name}
model: 'quo"te $__timeFilter(x) ''single'''
owner: "o'wner \\"x\\" {{{{ $labels }}}}"
timezone: UTC
reference: {{path: reference.parquet}}
live: {{path: "{name}/{{start:%Y-%m-%d}}.parquet", timestamp: time}}
columns: {{predictions: [score], exclude: [time]}}
segments: [store]
"""

RULES = Path(__file__).parents[2] / "dashboards" / "prometheus" / "driftmon.rules.yml"


def rows_of(day: date, number: int, *, rows: int = ROWS) -> pd.DataFrame:
    """Rows of a day as usual; `number` picks them."""
    rng = np.random.default_rng(number)
    frame = {
        "time": pd.Timestamp(day, tz="UTC") + pd.to_timedelta(rng.integers(0, 86_400, rows), unit="s"),
        "amount": np.round(rng.lognormal(3, 1, rows), 2),
        "country": rng.choice(["DE", "FR", "NL"], rows, p=[0.5, 0.3, 0.2]),
        "channel": rng.choice(["web", "app", None], rows, p=[0.6, 0.38, 0.02]),
        "gone": rng.normal(size=rows),
        "age": rng.gamma(4, 10, rows),
        "quiet": rng.normal(size=rows),
        "score": rng.beta(2, 5, rows),
        "store": rng.choice(STORES, rows),
        HOSTILE: rng.choice(["x", *STORES], rows),
        LONG: rng.normal(size=rows),
    }
    return pd.DataFrame(frame)


def planted(day: date, number: int) -> pd.DataFrame:
    """
    Rows of a live day with what should be found.

    Amounts double in one store from the sixth day on; the score rises a little on all days; on the last day rows miss their channel, a new
    country comes up, a column is gone, and hostile names drift.
    """
    frame = rows_of(day, 1_000 + number)
    frame["score"] = np.clip(frame["score"] + 0.045, 0, 1)
    if number >= 5:
        frame.loc[frame["store"] == STORES[1], "amount"] *= 4
    if number == DAYS - 1:
        frame.loc[:90, "channel"] = None
        frame.loc[:60, "country"] = "XX"
        frame[HOSTILE] = "x"
        frame[LONG] += 2
        return frame.drop(columns=["gone"])
    return frame


def filled(folder: Path, url: str) -> date:
    """Check two monitors, of which one drifts and one fails; gives the last day that was checked."""
    upgrade(url)
    today = datetime.now(UTC).date()
    first = today - timedelta(days=DAYS)
    pd.concat(rows_of(first - timedelta(days=i + 1), i) for i in range(28)).to_parquet(
        folder / "reference.parquet", index=False
    )
    (folder / "monitors").mkdir()
    for name in ("shop", "quiet"):
        (folder / name).mkdir()
        (folder / "monitors" / f"{name}.yaml").write_text(MONITOR.format(name=name))
    for number in range(DAYS):
        day = first + timedelta(days=number)
        planted(day, number).to_parquet(folder / "shop" / f"{day}.parquet", index=False)
        if number < DAYS - 3:
            rows_of(day, 2_000 + number).to_parquet(folder / "quiet" / f"{day}.parquet", index=False)
    (folder / "quiet" / f"{today - timedelta(days=1)}.parquet").write_text("no Parquet")
    with Store.open(url) as store:
        for monitor in load_folder(folder / "monitors"):
            build_baseline(monitor, store)
            start = datetime.combine(first, time(), UTC)
            for window in monitor.windows.between(start, start + timedelta(days=DAYS)):
                try:
                    run_check(monitor, store, window)
                except SourceError:
                    assert monitor.name == "quiet"
    return today - timedelta(days=1)


def configuration(folder: Path, exporters: list[str]) -> str:
    """Of Prometheus: two exporters, as in production, and the shipped rules, which here fire at once."""
    rules = "\n".join(line for line in RULES.read_text().splitlines() if not line.strip().startswith("for: "))
    (folder / "rules.yml").write_text(rules)
    return f"""
global: {{scrape_interval: 500ms, scrape_timeout: 500ms, evaluation_interval: 500ms}}
rule_files: [{folder}/rules.yml]
scrape_configs:
  - job_name: driftmon
    static_configs: [{{targets: {json.dumps(exporters)}}}]
"""


@dataclass(frozen=True)
class World:
    """
    A database and a Prometheus that hold the same facts.

    Parameters
    ----------
    prometheus : str
        Its address.
    database : str
        The URL, for a role that may do what Grafana's role may.
    last_day : date
        The newest window.
    """

    prometheus: str
    database: str
    last_day: date

    def page(self, **values: str) -> Page:
        """All of the last thirty days, of the monitor that drifts."""
        defaults = {"monitor": "shop", "column": "amount", "segment": "all rows", "datasource": "p", "sql": "s"}
        now = datetime.now(UTC)
        return Page(defaults | {"driftmon_url": "http://127.0.0.1"} | values, now - timedelta(days=30), now)

    def rows(self, query: Query, page: Page) -> list[dict[str, Any]]:
        """What a query gives."""
        if query.kind == "prometheus":
            return self._series(query, interpolated(query.text, page))
        return self.sql(macros_expanded(interpolated(query.text, page), page))

    def sql(self, statement: str) -> list[dict[str, Any]]:
        """What PostgreSQL answers Grafana's role."""
        with psycopg.connect(self.database, row_factory=dict_row) as connection:
            return connection.execute(statement.encode()).fetchall()

    def _series(self, query: Query, text: str) -> list[dict[str, Any]]:
        if text.startswith("label_values("):
            family, _, label = text.removeprefix("label_values(").removesuffix(")").rpartition(", ")
            found = self.ask("query", query=f"count by ({label}) ({family})")
            return [{label: series["metric"][label]} for series in found]
        if query.target.get("range"):
            now = datetime.now(UTC).timestamp()
            found = self.ask("query_range", query=text, start=now - 20, end=now, step=1)
            return [{**series["metric"], "values": [float(value) for _, value in series["values"]]} for series in found]
        found = self.ask("query", query=text)
        return [{**series["metric"], "value": float(series["value"][1])} for series in found]

    def ask(self, way: str, **parameters: Any) -> list[dict[str, Any]]:
        """
        What Prometheus answers.

        Raises
        ------
        ValueError
            If it cannot.
        """
        body = urllib.parse.urlencode(parameters).encode()
        try:
            with urllib.request.urlopen(f"{self.prometheus}/api/v1/{way}", data=body, timeout=30) as answer:
                return json.load(answer)["data"]["result"]
        except urllib.error.HTTPError as error:
            raise ValueError(f"{parameters['query']}: {json.load(error)['error']}") from None


@contextmanager
def reader(server: PostgreSQL, database: str) -> Iterator[str]:
    """The URL of a database for a role made as the document says."""
    for statement in role_of_the_document("grafana_reader", "a-word", database):
        server.execute(statement, database)
    try:
        yield server.url(database, user="grafana_reader", password="a-word")
    finally:
        server.execute("DROP OWNED BY grafana_reader", database)
        server.execute("DROP ROLE grafana_reader")
