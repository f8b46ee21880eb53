"""How things look: colours that everybody can tell apart, words for statuses, and the usual options of each kind of panel."""

from __future__ import annotations

from typing import Any

__all__ = [
    "BARS",
    "COMPLETE",
    "CRITICAL",
    "DASHED",
    "JSON",
    "LIVE",
    "MUTED",
    "NATS",
    "OK",
    "OPTIONS",
    "REFERENCE",
    "STATUS_OF_URGENCY",
    "STATUS_WORDS",
    "UNKNOWN",
    "WARNING",
]

JSON = dict[str, Any]
"""What Grafana reads, and what a piece of it is made of."""

# Okabe and Ito's colours, which people tell apart however they see colours; a status is always written out too.
OK, INFO, WARNING, CRITICAL = "#6B8299", "#56B4E9", "#E69F00", "#D55E00"
UNKNOWN, BROKEN, MUTED = "#CC79A7", "#882255", "#999999"
REFERENCE, LIVE = "#999999", "#0072B2"

STATUSES = {
    "ok": ("ok", OK),
    "info": ("info", INFO),
    "insufficient_data": ("few rows", UNKNOWN),
    "no_data": ("no rows", UNKNOWN),
    "schema_changed": ("schema", BROKEN),
    "error": ("error", BROKEN),
    "warning": ("warning", WARNING),
    "critical": ("CRITICAL", CRITICAL),
}
"""In the order of the views' urgency: how each is written, and its colour."""


def _mapping(words: dict[str, tuple[str, str]]) -> list[JSON]:
    options = {
        key: {"text": text, "color": color, "index": place} for place, (key, (text, color)) in enumerate(words.items())
    }
    return [{"type": "value", "options": options}]


STATUS_WORDS = _mapping(STATUSES)
STATUS_OF_URGENCY = _mapping({str(place): shown for place, shown in enumerate(STATUSES.values())})

_LEGEND = {"displayMode": "list", "placement": "bottom", "showLegend": True, "calcs": []}
_ALL_LINES = {"mode": "multi", "sort": "desc"}

OPTIONS: dict[str, JSON] = {
    "stat": {
        "colorMode": "background",
        "graphMode": "none",
        "justifyMode": "center",
        "orientation": "auto",
        "percentChangeColorMode": "standard",
        "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
        "showPercentChange": False,
        "textMode": "auto",
        "wideLayout": True,
    },
    "table": {"cellHeight": "sm", "frameIndex": 0, "showHeader": True, "enablePagination": False},
    "timeseries": {"legend": _LEGEND, "tooltip": _ALL_LINES},
    "barchart": {
        "barWidth": 0.9,
        "fullHighlight": False,
        "groupWidth": 0.75,
        "legend": _LEGEND,
        "orientation": "vertical",
        "showValue": "auto",
        "stacking": "none",
        "tooltip": _ALL_LINES,
        "xTickLabelMaxLength": 24,
        "xTickLabelRotation": 0,
        "xTickLabelSpacing": 0,
    },
    "heatmap": {
        "calculate": False,
        "cellGap": 1,
        "color": {"mode": "scheme", "scheme": "Viridis", "exponent": 0.5, "fill": MUTED, "reverse": False, "steps": 64},
        "exemplars": {"color": MUTED},
        "legend": {"show": True},
        "rowsFrame": {"layout": "auto"},
        "showValue": "never",
        "tooltip": {"mode": "single", "showColorScale": True, "yHistogram": False},
        "yAxis": {"axisPlacement": "left", "reverse": False},
    },
    "status-history": {
        "colWidth": 0.9,
        "legend": _LEGEND | {"showLegend": False},
        "perPage": 30,
        "rowHeight": 0.9,
        "showValue": "auto",
        "tooltip": {"mode": "single", "sort": "none"},
    },
    "state-timeline": {
        "alignValue": "left",
        "legend": _LEGEND | {"showLegend": False},
        "mergeValues": True,
        "perPage": 20,
        "rowHeight": 0.85,
        "showValue": "auto",
        "tooltip": {"mode": "single", "sort": "none"},
    },
}

COMPLETE: list[JSON] = [{"type": "value", "options": {"0": {"text": "complete", "color": OK, "index": 0}}}]
"""The age of a monitor whose last window is checked: there is no newer one to wait for."""

NATS: JSON = {"unit": "suffix: nats", "decimals": 3}
"""Of every divergence."""

BARS: JSON = {"drawStyle": "bars", "fillOpacity": 80, "lineWidth": 0, "barAlignment": 0}
"""What is counted in each window."""

DASHED: JSON = {
    "lineStyle": {"fill": "dash", "dash": [10, 6]},
    "lineInterpolation": "stepAfter",
    "showPoints": "never",
}
"""What measured lines are held against."""
