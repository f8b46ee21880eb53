"""How one column changed: against its thresholds, its reference, and its own past. From the results database alone."""

# ruff: noqa: S608, ANN401 - Grafana fills the variables in, see views.py; what JSON can say has no narrower type
from __future__ import annotations

from typing import Any

from dashboards.grafana.distribution import bins, contributions, distributions, over_time
from dashboards.grafana.frame import dashboard, of_prometheus, of_sql, row
from dashboards.grafana.looks import BARS, CRITICAL, DASHED, LIVE, MUTED, NATS, OK, STATUS_WORDS, WARNING
from dashboards.grafana.parts import JSON, column, line, link, panel, runbook_of_panel, sql, steps, to_column
from dashboards.grafana.views import NEWEST, NEWEST_OF_COLUMN, OF_ANY_SEGMENT, OF_COLUMN, OF_MONITOR, SHOWN, newest_of

__all__ = ["column_page"]


MOVED = f"""
    SELECT string_agg(
        label || ' ' || trim_scale(round(100 * reference_share::numeric, 1)) || ' % → ' || trim_scale(round(100 * live_share::numeric, 1)) || ' %',
        ', ' ORDER BY contribution DESC
    ) FROM (
        SELECT label, reference_share, live_share, contribution FROM grafana_column_bins
        WHERE {NEWEST_OF_COLUMN} AND live_share IS NOT NULL ORDER BY contribution DESC LIMIT 2
    ) AS worst
"""
"""The two bins that make most of the divergence, in the words of messages."""


def column_page() -> JSON:
    """The dashboard."""
    monitors = of_prometheus("monitor", "Monitor", "label_values(driftmon_monitor_info, monitor)", sort=1, refresh=2)
    columns = of_sql(
        "column",
        "Column",
        f"""
        SELECT column_name FROM grafana_column_results WHERE {OF_MONITOR} AND segment = '' AND {newest_of(OF_MONITOR)}
        ORDER BY urgency DESC, critical_ratio DESC NULLS LAST, position
        """,
        refresh=2,
    )
    segments = of_sql(
        "segment",
        "Segment",
        f"""
        SELECT coalesce(nullif(segment, ''), 'all rows') FROM grafana_column_results
        WHERE {OF_ANY_SEGMENT} AND {newest_of(OF_MONITOR)}
        ORDER BY segment_position
        """,
        refresh=2,
    )
    return dashboard(
        "Column",
        "How one column changed: how far past its thresholds, since when, in which bins, on how many rows.",
        30,
        variables=[monitors, columns, segments],
        rows=[
            row("What is wrong in the newest window of this time range?", _in_words(), *_numbers()),
            row("Since when?", _kl()),
            row("How did its distribution change?", distributions(), contributions(), over_time(), bins()),
            row("In which rows, and on how many?", _segments(), _shares(), _rows()),
        ],
        alerts='count by (alertname, severity) (ALERTS{alertstate="firing",alertname=~"Driftmon.+",monitor="$monitor"})',
    )


def _in_words() -> JSON:
    rounded = "round(%s::numeric, %d)"
    moved = f"""'KL ' || {rounded % ("kl", 3)} || ' nats, surely at least ' || {rounded % ("bound", 3)} || ', '
        || CASE WHEN urgency = 7 THEN {rounded % ("critical_ratio", 1)} || ' × the critical threshold '
            || critical_threshold ELSE {rounded % ("warning_ratio", 1)} || ' × the warning threshold ' || warning_threshold END"""
    return panel(
        "table",
        "What is wrong?",
        """The verdict on the newest window of the time range shown, and for how many windows in a row it has been warning or worse. To see
        an earlier window, click it in the graph of KL below.""",
        sql(f"""
            WITH past AS (
                SELECT *, count(*) FILTER (WHERE urgency < 6) OVER (ORDER BY window_end DESC, window_start DESC) AS calm
                FROM grafana_column_results WHERE {OF_COLUMN} AND {SHOWN} AND status IN ('ok', 'info', 'warning', 'critical')
            ), going AS (SELECT count(*) AS windows, min(window_start) AS since FROM past WHERE calm = 0)
            SELECT window_start AS "window", status, concat_ws('; ',
                'no verdict: ' || reason,
                CASE WHEN urgency >= 6 THEN {moved}
                    WHEN urgency = 1 THEN 'a real shift, but not surely beyond the warning threshold'
                    WHEN urgency = 0 THEN 'as usual' END,
                CASE WHEN urgency >= 6 THEN going.windows || ' windows in a row' END,
                CASE WHEN urgency >= 1 THEN ({MOVED}) END,
                CASE WHEN sustained THEN 'sustained: the last ' || sustained_windows || ' windows drift together' END,
                'quality: ' || quality_problems,
                CASE WHEN bins_pruned THEN 'the bins of this window were pruned, the reference stands alone below' END,
                'likely cause: ' || hint) AS "in words",
                CASE WHEN urgency >= 6 THEN going.since END AS "since"
            FROM grafana_column_results, going WHERE {NEWEST_OF_COLUMN}
        """),
        size=(24, 4),
        defaults={"noValue": "no window of this column in this time range", "unit": "none"},
        overrides=[
            column("window", unit="dateTimeAsIso", custom__width=170),
            column(
                "status", mappings=STATUS_WORDS, custom__cellOptions={"type": "color-background"}, custom__width=110
            ),
            column("in words", custom__wrapText=True),
            column("since", unit="dateTimeAsIso", custom__width=170),
        ],
        links=[runbook_of_panel("DriftmonColumnDrift")],
    )


def _stat(title: str, description: str, expression: str, **defaults: Any) -> JSON:
    """One number of the newest window."""
    plain = {"noValue": "no number", "color": {"mode": "thresholds"}, "thresholds": steps((None, OK))}
    return panel(
        "stat",
        title,
        description,
        sql(f"SELECT {expression} FROM grafana_column_results WHERE {NEWEST_OF_COLUMN}"),
        size=(4, 4),
        options={"reduceOptions": {"calcs": ["lastNotNull"], "fields": "/.*/", "values": False}, "colorMode": "value"},
        defaults=plain | defaults,
    )


def _numbers() -> list[JSON]:
    return [
        _stat(
            "How far surely past critical?",
            "The lower bound of the shift over the critical threshold: above 1 it is critical, unless it is usual. Next: which bins moved.",
            'critical_ratio AS "surely / critical"',
            unit="short",
            decimals=2,
            thresholds=steps((None, OK), (1, CRITICAL)),
        ),
        _stat(
            "How large is KL?",
            "KL(live ‖ reference) of the window. Near the noise floor it is chance, whatever the thresholds.",
            'kl AS "KL"',
            **NATS,
        ),
        _stat(
            "How many rows has the window?",
            "Live rows of the window. On few rows a KL is uncertain: trust the lower bound.",
            'live_rows AS "rows"',
            unit="short",
            decimals=0,
        ),
        _stat(
            "How many rows miss it?",
            "Share of missing values now, and in the reference. More than before: ask who fills the column.",
            'missing_ratio AS "now", reference_missing_ratio AS "reference"',
            unit="percentunit",
            decimals=1,
        ),
        _stat(
            "How many rows are new?",
            "Share of rows in no bin or category of the reference, and what is to be expected. New categories: who added them?",
            'novel_ratio AS "now", expected_novel_ratio AS "expected"',
            unit="percentunit",
            decimals=1,
        ),
        _stat(
            "What is usual for it?",
            "The KL that one usual window in a hundred exceeds, and the noise floor. A KL below the limit is what the column does by itself.",
            'usual_limit AS "usual limit", noise_floor AS "noise floor"',
            **NATS,
        ),
    ]


def _kl() -> JSON:
    window = (
        "var-monitor=${monitor:percentencode}&var-column=${column:percentencode}&var-segment=${segment:percentencode}"
    )
    sources = "${datasource:queryparam}&${sql:queryparam}"
    earlier = link(
        "Show this window below", f"/d/driftmon-column?{window}&{sources}&from=${{__from}}&to=${{__value.time}}"
    )
    return panel(
        "timeseries",
        "Since when, and how far past its thresholds?",
        """Points are the KL of each window; a verdict needs the lower bound past a threshold, not KL alone. Dashed: the thresholds in force for each
        window. Dotted: what chance alone would show, and what is usual for the column. Click a point to show that window's distribution below.""",
        sql(
            f"""
            SELECT window_start AS time, kl AS "KL", bound AS "surely at least", warning_threshold AS "warning from",
                critical_threshold AS "critical from", noise_floor AS "noise floor", usual_limit AS "usual limit"
            FROM grafana_column_results WHERE {OF_COLUMN} AND {SHOWN} ORDER BY 1
            """,
            series=True,
        ),
        size=(24, 9),
        defaults={
            **NATS,
            "min": 0,
            "custom": {"drawStyle": "line", "lineWidth": 1, "showPoints": "always", "pointSize": 7, "spanNulls": False},
            "links": [earlier],
            "noValue": "no window of this column in this time range",
        },
        overrides=[
            line("KL", LIVE, lineWidth=2, pointSize=9),
            line("surely at least", "#009E73", pointSize=5),
            line("warning from", WARNING, **DASHED),
            line("critical from", CRITICAL, **DASHED),
            line("noise floor", MUTED, **DASHED | {"lineStyle": {"fill": "dot", "dash": [2, 6]}}),
            line("usual limit", "#CC79A7", **DASHED | {"lineStyle": {"fill": "dot", "dash": [2, 6]}}),
        ],
    )


def _shares() -> JSON:
    return panel(
        "timeseries",
        "Are more values missing, or new?",
        """Shares of each window's rows without a value, and with one that no reference row had; dashed what the reference has and what is to be
        expected. A step up has a date: ask what was deployed then.""",
        sql(
            f"""
            SELECT window_start AS time, missing_ratio AS "missing", reference_missing_ratio AS "missing in the reference",
                novel_ratio AS "new", expected_novel_ratio AS "new, expected"
            FROM grafana_column_results WHERE {OF_COLUMN} AND {SHOWN} ORDER BY 1
            """,
            series=True,
        ),
        size=(12, 8),
        defaults={
            "unit": "percentunit",
            "decimals": 1,
            "min": 0,
            "custom": {"drawStyle": "line", "lineWidth": 2, "showPoints": "always", "pointSize": 6},
            "noValue": "no window of this column in this time range",
        },
        overrides=[
            line("missing", LIVE),
            line("missing in the reference", LIVE, **DASHED),
            line("new", WARNING),
            line("new, expected", WARNING, **DASHED),
        ],
    )


def _rows() -> JSON:
    return panel(
        "timeseries",
        "On how many rows?",
        """Live rows of the column in each window. A drop explains wide bounds and windows without a verdict; find the rows first.""",
        sql(
            f"""
            SELECT window_start AS time, live_rows AS "live rows" FROM grafana_column_results
            WHERE {OF_COLUMN} AND {SHOWN} ORDER BY 1
            """,
            series=True,
        ),
        size=(12, 8),
        defaults={
            "unit": "short",
            "decimals": 0,
            "min": 0,
            "color": {"mode": "fixed", "fixedColor": LIVE},
            "custom": BARS,
            "noValue": "no window of this column in this time range",
        },
    )


def _segments() -> JSON:
    return panel(
        "table",
        "Is it all rows, or one segment?",
        """The same column over all rows and in each segment, the newest window shown. One segment far above the others: look at what
        feeds it. Click a segment to show it here.""",
        sql(f"""
            SELECT coalesce(nullif(segment, ''), 'all rows') AS segment, status, critical_ratio AS "surely / critical",
                kl AS "KL", live_rows AS "rows", concat_ws('; ', reason, hint) AS "no verdict, or a likely cause"
            FROM grafana_column_results
            WHERE {OF_ANY_SEGMENT} AND {NEWEST}
            ORDER BY segment <> '', urgency DESC, critical_ratio DESC NULLS LAST, segment_position LIMIT 100
        """),
        size=(24, 8),
        defaults={**NATS, "noValue": "no window of this column in this time range"},
        overrides=[
            column("segment", links=[to_column("${column:percentencode}")]),
            column("status", mappings=STATUS_WORDS, custom__cellOptions={"type": "color-text"}),
            column(
                "surely / critical",
                unit="short",
                decimals=2,
                min=0,
                max=3,
                thresholds=steps((None, OK), (1, CRITICAL)),
                custom__cellOptions={"type": "gauge", "mode": "basic", "valueDisplayMode": "text"},
            ),
            column("rows", unit="short", decimals=0),
        ],
    )
