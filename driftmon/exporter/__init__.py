"""Results for Prometheus: a snapshot of the results database, rendered in the background and served over HTTP."""
