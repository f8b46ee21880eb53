"""The results database: the only meeting point of what writes (pipeline) and what reads (exporter, report, dashboards)."""
