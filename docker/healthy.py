#!/usr/bin/env python3
"""
Health checks of our containers: exit with 0 if an address answers, and, for a component of Airflow, if it says that one is well.

``healthy.py http://127.0.0.1:9877/readyz``
``healthy.py http://airflow-api-server:8080/api/v2/monitor/health dag_processor``
"""

from __future__ import annotations

import json
import sys
import urllib.request

TIMEOUT = 5.0


def problem(url: str, component: str | None = None) -> str | None:
    """Ask once; what is wrong, if anything is."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # never through a proxy: our own network
    try:
        with opener.open(url, timeout=TIMEOUT) as answer:
            body = answer.read()
        status = "healthy" if component is None else json.loads(body)[component]["status"]
    except (OSError, ValueError, LookupError, TypeError) as error:
        return f"{url}: {error!r}"
    return None if status == "healthy" else f"{url}: {component} is {status}"


if __name__ == "__main__":
    sys.exit(
        problem(*sys.argv[1:])
    )  # a text goes to standard error, where `docker inspect` finds it, and the status is 1
