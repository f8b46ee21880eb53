"""How a distribution changed, bin by bin: pictures of the page of a column."""

# ruff: noqa: S608 - Grafana fills the variables in, see views.py
from __future__ import annotations

from dashboards.grafana.looks import CRITICAL, LIVE, NATS, REFERENCE
from dashboards.grafana.parts import JSON, column, line, panel, sql
from dashboards.grafana.views import NEWEST_OF_COLUMN, OF_COLUMN, SHOWN

__all__ = ["bins", "contributions", "distributions", "over_time"]


def distributions() -> JSON:
    """Reference against live, side by side."""
    return panel(
        "barchart",
        "Where were the rows, and where are they now?",
        """Share of rows in each bin: reference (grey) and live (blue) of the newest window shown. Bars that moved along the axis are a
        shift; one new tall bar is a default or a sentinel value; the last bin is missing values.""",
        _of_bins('label AS "bin", reference_share AS "reference", live_share AS "live"'),
        size=(14, 10),
        options={"xField": "bin", "showValue": "never"},
        defaults={
            "unit": "percentunit",
            "decimals": 1,
            "min": 0,
            "custom": {"fillOpacity": 85, "lineWidth": 0},
            "noValue": "no window of this column in this time range",
        },
        overrides=[line("reference", REFERENCE), line("live", LIVE)],
    )


def contributions() -> JSON:
    """What each bin adds to KL."""
    return panel(
        "barchart",
        "Which bins make the divergence?",
        """What each bin adds to KL, never negative; together they are KL exactly. Start with the longest bar: ask what changed for the rows
        of that bin.""",
        _of_bins('label AS "bin", contribution AS "adds to KL"'),
        size=(10, 10),
        options={
            "xField": "bin",
            "orientation": "horizontal",
            "legend": {"showLegend": False, "displayMode": "list", "placement": "bottom", "calcs": []},
        },
        defaults={
            **NATS,
            "min": 0,
            "color": {"mode": "fixed", "fixedColor": CRITICAL},
            "custom": {"fillOpacity": 85, "lineWidth": 0},
            "noValue": "no window of this column in this time range",
        },
    )


def over_time() -> JSON:
    """The live distribution, window by window."""
    return panel(
        "heatmap",
        "How did the live distribution move over time?",
        """A column of cells a window, a row a bin, in the bins' order: brighter is a larger share of rows. A band that moves is a drift; a
        break is a change on that day; new rows of cells are a new baseline with other bins.""",
        sql(
            f"""
            SELECT window_start AS time, lpad(position::text, 2, '0') || ' ' || label AS metric, live_share AS value
            FROM grafana_column_bins WHERE {OF_COLUMN} AND {SHOWN} AND live_share IS NOT NULL ORDER BY 1, position
            """,
            series=True,
        ),
        size=(14, 10),
        options={
            "cellValues": {"unit": "percentunit", "decimals": 1},
            "yAxis": {"axisPlacement": "left", "reverse": False},
        },
        defaults={"unit": "percentunit", "noValue": "no window of this column in this time range"},
    )


def bins() -> JSON:
    """The same in numbers."""
    return panel(
        "table",
        "The bins in numbers",
        """Rows and shares of each bin, and what it adds to KL. A bin with few rows on both sides proves little, however much its share
        moved.""",
        _of_bins(
            """label AS "bin", reference_count AS "reference rows", live_count AS "live rows", reference_share AS "reference",
            live_share AS "live", live_share - reference_share AS "moved", contribution AS "adds to KL" """
        ),
        size=(10, 10),
        defaults={"unit": "percentunit", "decimals": 1, "noValue": "no window of this column in this time range"},
        overrides=[
            column("reference rows", unit="short", decimals=0),
            column("live rows", unit="short", decimals=0),
            column("adds to KL", **NATS),
        ],
    )


def _of_bins(selected: str) -> JSON:
    return sql(f"SELECT {selected} FROM grafana_column_bins WHERE {NEWEST_OF_COLUMN} ORDER BY position")
