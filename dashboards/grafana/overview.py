"""The first page for whoever is on call: is the monitoring alive, and what drifts. From Prometheus alone, so it needs no database."""

from __future__ import annotations

from dashboards.grafana.alive import ALLOWED_AGE, COMPLETE, EACH, SHOWN, WINDOW_AGE, alive
from dashboards.grafana.frame import dashboard, of_prometheus, row
from dashboards.grafana.looks import COMPLETE as COMPLETE_WORD
from dashboards.grafana.looks import CRITICAL, OK, WARNING
from dashboards.grafana.parts import JSON, column, link, panel, prometheus, side_by_side, steps, to_column, to_monitor

__all__ = ["overview"]

COLUMNS = f"max by (model, monitor, status) (driftmon_monitor_columns{{{SHOWN}}})"
FIRING = f'alertname=~"Driftmon.+",{SHOWN[:-1]}|"'
"""Alerts about no monitor, such as those about the exporter, have no such label."""

ONE_COLUMN = "model, monitor, column, role, segment"


def overview() -> JSON:
    """The dashboard."""
    every = {"text": "All", "value": "$__all", "selected": True}
    monitors = of_prometheus(
        *("monitor", "Monitor", "label_values(driftmon_monitor_info, monitor)"),
        multi=True,
        includeAll=True,
        allValue=".*",
        current=every,
        sort=1,
        refresh=2,
    )
    return dashboard(
        "Overview",
        "Is the monitoring alive and fresh, and what drifts? Start here when an alert woke you.",
        7,
        variables=[monitors],
        rows=[
            row("Is the monitoring itself alive?", *alive()),
            row("What drifts?", _monitors(), _worst_columns()),
            row("Since when, and who was told?", _share_over_time(), _alerts()),
        ],
        alerts=f'count by (alertname, severity) (ALERTS{{alertstate="firing",{FIRING}}})',
    )


def _instant(expression: str) -> JSON:
    return prometheus(expression, as_table=True)


def _flagged(family: str) -> str:
    """Columns of each monitor for which a family is 1; 0 where there are none."""
    flagged = f'max by (model, monitor, column) ({family}{{{SHOWN},segment=""}}) == 1'
    return f"count {EACH} ({flagged}) or 0 * max {EACH} (driftmon_monitor_info{{{SHOWN}}})"


def _of_status(status: str) -> str:
    return f'max {EACH} (driftmon_monitor_columns{{{SHOWN},status="{status}"}})'


def _monitors() -> JSON:
    headline = f"topk {EACH} (1, max by (model, monitor, text) (driftmon_monitor_headline_info{{{SHOWN}}}))"
    drifted = (
        f'sum {EACH} (max by (model, monitor, status) (driftmon_monitor_columns{{{SHOWN},status=~"critical|warning"}}))'
    )
    names = {
        "monitor": "monitor",
        "Value #B": "critical",
        "Value #C": "warning",
        "Value #D": "share that drifts",
        "Value #E": "sustained",
        "Value #F": "quality",
        "Value #G": "age / allowed",
        "Value #H": "rows",
        "text": "the newest window in a line",
        "model": "model",
    }
    counted = {"custom__width": 85, "custom__align": "center", "custom__cellOptions": {"type": "color-background"}}
    return panel(
        "table",
        "Which monitors drift: one column, or everything?",
        """One line a monitor. A few critical columns are a matter of the data behind them; a share near 100 % points to the pipeline: a
        wrong table, unit or join. "age / allowed" above 1 means that the line is about the past, "complete" that the feed has ended and is checked. Click a name to see its columns window by window.""",
        _instant(headline),
        _instant(_of_status("critical")),
        _instant(_of_status("warning")),
        _instant(f"{drifted} / (sum {EACH} ({COLUMNS}) > 0)"),
        _instant(_flagged("driftmon_column_sustained_drift")),
        _instant(_flagged("driftmon_column_quality_problem")),
        _instant(f"(({WINDOW_AGE}) / {ALLOWED_AGE} unless on (model, monitor) {COMPLETE}) or 0 * ({COMPLETE})"),
        _instant(f'max {EACH} (driftmon_monitor_rows{{{SHOWN},dataset="live"}})'),
        size=(24, 8),
        options={"sortBy": [{"displayName": "critical", "desc": True}]},
        defaults={"noValue": "no monitor is exported", "unit": "short", "custom": {"filterable": True}},
        overrides=[
            column("monitor", links=[to_monitor()], custom__width=180),
            column("critical", thresholds=steps((None, "transparent"), (1, CRITICAL)), **counted),
            column("warning", thresholds=steps((None, "transparent"), (1, WARNING)), **counted),
            column("sustained", thresholds=steps((None, "transparent"), (1, WARNING)), **counted),
            column("quality", thresholds=steps((None, "transparent"), (1, WARNING)), **counted),
            column(
                "share that drifts",
                unit="percentunit",
                min=0,
                max=1,
                decimals=0,
                thresholds=steps((None, OK), (0.3, CRITICAL)),
                custom__width=140,
                custom__cellOptions={"type": "gauge", "mode": "basic", "valueDisplayMode": "text"},
            ),
            column(
                "age / allowed",
                noValue="never checked",
                mappings=COMPLETE_WORD,
                decimals=2,
                thresholds=steps((None, "transparent"), (1, CRITICAL)),
                custom__width=110,
                custom__align="center",
                custom__cellOptions={"type": "color-background"},
            ),
            column("rows", custom__width=90),
            column("model", custom__width=150),
        ],
        transformations=side_by_side(names),
    )


def _worst_columns() -> JSON:
    bound = f"max by ({ONE_COLUMN}) (driftmon_column_kl_lower_bound_nats{{{SHOWN}}})"
    limit = f'max by ({ONE_COLUMN}) (driftmon_column_kl_threshold_nats{{{SHOWN},severity="critical"}})'
    found = f"topk by ({ONE_COLUMN}) (1, max by ({ONE_COLUMN}, text) (driftmon_column_finding_rank{{{SHOWN}}}))"
    names = {
        "monitor": "monitor",
        "column": "column",
        "segment": "segment",
        "Value": "surely / critical",
        "text": "what is wrong",
        "role": "role",
    }
    return panel(
        "table",
        "Which columns are worst, how far past their own threshold, and since when?",
        """The 25 findings that moved farthest, in the order of messages: the lower bound of the shift over the column's own critical
        threshold. Beyond 1 it surely moved too far, unless habit explains it, which the text says. A column without a number stands at 0. Click a column to see how its distribution changed.""",
        _instant(f"""
            topk(25,
              {bound} / ({limit} > 0) * on ({ONE_COLUMN}) group_left (text) ({found} ^ 0)
              or 0 * {found}
            )
        """),
        size=(24, 10),
        options={"sortBy": [{"displayName": "surely / critical", "desc": True}]},
        defaults={"noValue": "no findings: nothing drifts", "unit": "short", "custom": {"filterable": True}},
        overrides=[
            column("monitor", links=[to_monitor()], custom__width=180),
            column("column", links=[to_column(monitor="${__data.fields.monitor:percentencode}")], custom__width=180),
            column("segment", custom__width=130),
            column(
                "surely / critical",
                min=0,
                max=3,
                decimals=1,
                thresholds=steps((None, OK), (1, CRITICAL)),
                custom__width=160,
                custom__cellOptions={"type": "gauge", "mode": "basic", "valueDisplayMode": "text"},
            ),
            column("what is wrong", custom__wrapText=True),
            column("role", custom__width=90),
        ],
        transformations=side_by_side(names),
    )


def _share_over_time() -> JSON:
    drifted = f'sum by (monitor) (max by (model, monitor, status) (driftmon_monitor_columns{{{SHOWN},status=~"critical|warning"}}))'
    return panel(
        "state-timeline",
        "Since when, and how wide?",
        """Share of each monitor's columns that drift, as it was exported. A step from 0 to nearly all at once is a change of the data's
        making; a slow rise is the world. The time is when the window was checked: the monitor's page has the windows themselves.""",
        prometheus(
            f"{drifted} / (sum by (monitor) ({COLUMNS}) > 0)",
            legend="{{monitor}}",
            over_time=True,
        ),
        size=(14, 9),
        defaults={
            "unit": "percentunit",
            "decimals": 0,
            "thresholds": steps((None, OK), (0.0001, WARNING), (0.3, CRITICAL)),
            "color": {"mode": "thresholds"},
            "custom": {"fillOpacity": 85, "lineWidth": 0},
            "links": [to_monitor("${__field.name:percentencode}")],
            "noValue": "nothing was exported in this time",
        },
    )


def _alerts() -> JSON:
    labels = "alertname, severity, owner, monitor, column, segment"
    names = {
        "alertname": "alert",
        "severity": "severity",
        "monitor": "monitor",
        "column": "column",
        "segment": "segment",
        "Value": "fires for",
        "owner": "owner",
    }
    firing = f'ALERTS_FOR_STATE{{{FIRING}}} and ignoring (alertstate) ALERTS{{alertstate="firing",{FIRING}}}'
    severities = {"critical": {"text": "CRITICAL", "color": CRITICAL, "index": 0}}
    severities["warning"] = {"text": "warning", "color": WARNING, "index": 1}
    return panel(
        "table",
        "Which alerts fire now, and for how long?",
        """What Alertmanager was told. Click an alert for its runbook: what it means and what to do. Empty is good, if "How old is what you
        see?" is not red.""",
        _instant(f"time() - min by ({labels}) ({firing})"),
        size=(10, 9),
        options={"sortBy": [{"displayName": "severity", "desc": False}]},
        defaults={"noValue": "no alert fires", "unit": "short", "custom": {"filterable": True}},
        overrides=[
            column(
                "alert",
                links=[link("What to do", "${driftmon_url}/runbooks/${__value.raw:percentencode}", new_tab=True)],
            ),
            column(
                "severity",
                mappings=[{"type": "value", "options": severities}],
                custom__cellOptions={"type": "color-text"},
                custom__width=90,
            ),
            # Alerts about the exporter are of no monitor: nothing to click.
            column("monitor", links=[to_monitor()], noValue=""),
            column("segment", noValue="–"),
            column("fires for", unit="s"),
        ],
        transformations=side_by_side(names),
    )
