"""What the columns of one window did: tables of the page of a monitor."""

# ruff: noqa: S608 - Grafana fills the variables in, see views.py
from __future__ import annotations

from dashboards.grafana.looks import CRITICAL, NATS, OK, STATUS_WORDS
from dashboards.grafana.parts import JSON, NOT_SHOWN, column, panel, runbook_of_panel, sql, steps, to_column
from dashboards.grafana.views import NEWEST, OF_MONITOR, SHOWN

__all__ = ["columns_of_window", "drifting_segments", "quality_problems", "sustained_drift"]


def columns_of_window() -> JSON:
    """Every column against its thresholds."""
    return panel(
        "table",
        "How far did each column move, against its own thresholds and what is usual?",
        """All columns of the window, the worst first. "surely / critical" is the lower bound of the shift over the critical threshold:
        above 1 it moved too far beyond doubt. A KL near its noise floor is chance, one below its usual limit is habit. Click a column to see it.""",
        sql(f"""
            SELECT column_name AS "column", status, critical_ratio AS "surely / critical", kl AS "KL",
                noise_floor AS "noise floor", usual_limit AS "usual limit", warning_threshold AS "warning from",
                critical_threshold AS "critical from", live_rows AS "rows",
                concat_ws('; ', reason, hint) AS "no verdict, or a likely cause", segment
            FROM grafana_column_results WHERE {OF_MONITOR} AND segment = '' AND {NEWEST}
            ORDER BY urgency DESC, critical_ratio DESC NULLS LAST, position
        """),
        size=(24, 10),
        defaults={"noValue": "no window in this time range", "custom": {"filterable": True}, **NATS},
        overrides=[
            column("column", links=[to_column()], custom__width=200),
            column("status", mappings=STATUS_WORDS, custom__cellOptions={"type": "color-text"}, custom__width=90),
            column(
                "surely / critical",
                unit="short",
                decimals=2,
                min=0,
                max=3,
                thresholds=steps((None, OK), (1, CRITICAL)),
                custom__width=170,
                custom__cellOptions={"type": "gauge", "mode": "basic", "valueDisplayMode": "text"},
            ),
            column("rows", unit="short", decimals=0),
            column("segment", custom__hideFrom=NOT_SHOWN),
        ],
    )


def quality_problems() -> JSON:
    """Columns of which a share of the rows is not what it was."""
    return panel(
        "table",
        "Which columns have a quality problem?",
        """Shares of rows that moved by a percentage point at least, beyond chance and beyond what is usual: missing, beyond all
        reference values, of new categories, of one single value. Next: ask who fills the column.""",
        sql(f"""
            SELECT column_name AS "column", quality_problems AS "problem", reference_missing_ratio AS "missing before",
                missing_ratio AS "missing", expected_novel_ratio AS "new expected", novel_ratio AS "new", segment
            FROM grafana_column_results WHERE {OF_MONITOR} AND quality_problems IS NOT NULL AND {NEWEST}
            ORDER BY urgency DESC, abs(missing_ratio - reference_missing_ratio) + novel_ratio DESC NULLS LAST, position
        """),
        size=(12, 8),
        defaults={"noValue": "no quality problem", "unit": "percentunit", "decimals": 1},
        overrides=[
            column("column", links=[to_column()]),
            column("segment", custom__hideFrom=NOT_SHOWN),
        ],
        links=[runbook_of_panel("DriftmonQualityProblem")],
    )


def sustained_drift() -> JSON:
    """Columns that are a little off in many windows."""
    return panel(
        "table",
        "Which columns drift lastingly, however little?",
        """Sustained drift: the windows up to this one are beyond what is usual, taken together, and beyond the warning threshold, though
        no single one may be. It does not go away by itself: find the change, or build a new baseline.""",
        sql(f"""
            SELECT newest.column_name AS "column", newest.segment AS segment, newest.status AS "this window",
                newest.kl AS "KL", newest.warning_threshold AS "warning from",
                count(*) FILTER (WHERE past.sustained) AS "windows sustained",
                min(past.window_start) FILTER (WHERE past.sustained) AS "first in this range"
            FROM (SELECT * FROM grafana_column_results WHERE {OF_MONITOR} AND sustained AND {NEWEST}) AS newest
            JOIN (SELECT * FROM grafana_column_results WHERE {OF_MONITOR} AND {SHOWN}) AS past USING (column_name, segment)
            GROUP BY 1, 2, 3, 4, 5 ORDER BY max(newest.warning_ratio) DESC NULLS LAST
        """),
        size=(12, 8),
        defaults={"noValue": "no sustained drift", **NATS},
        overrides=[
            column("column", links=[to_column()]),
            column("this window", mappings=STATUS_WORDS, custom__cellOptions={"type": "color-text"}),
            column("windows sustained", unit="short", decimals=0),
            column("first in this range", unit="dateTimeAsIso"),
        ],
        links=[runbook_of_panel("DriftmonSustainedDrift")],
    )


def drifting_segments() -> JSON:
    """Segments that drift."""
    return panel(
        "table",
        "Where does it drift: in which segments?",
        """Segments (rows of one value of a column) that drift, the worst first. One segment only: look at what feeds it, such as one
        airport or one customer. All of them: the change is not theirs.""",
        sql(f"""
            SELECT column_name AS "column", segment, status, critical_ratio AS "surely / critical", kl AS "KL", live_rows AS "rows"
            FROM grafana_column_results WHERE {OF_MONITOR} AND segment <> '' AND urgency >= 6 AND {NEWEST}
            ORDER BY urgency DESC, critical_ratio DESC NULLS LAST, position, segment_position LIMIT 50
        """),
        size=(24, 7),
        defaults={"noValue": "no segment drifts", **NATS},
        overrides=[
            column("column", links=[to_column()]),
            column("status", mappings=STATUS_WORDS, custom__cellOptions={"type": "color-text"}),
            column("surely / critical", unit="short", decimals=2),
            column("rows", unit="short", decimals=0),
        ],
    )
