#!/usr/bin/env python3
"""
Health checks of our containers: exit with 0 if an address answers, and, for a component of Airflow, if it says that one is well.

``python healthy.py http://127.0.0.1:9877/readyz``
``python healthy.py http://airflow-api-server:8080/api/v2/monitor/health dag_processor``
"""

import json
import sys
import urllib.request

TIMEOUT = 5.0


def main(url: str, component: str | None = None) -> int:
    """Ask once; say on standard error what is wrong, for ``docker inspect`` shows that."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # never through a proxy: this is our own network
    try:
        with opener.open(url, timeout=TIMEOUT) as answer:
            body = answer.read()
        status = "healthy" if component is None else json.loads(body)[component]["status"]
    except (OSError, ValueError, LookupError, TypeError) as error:
        print(f"{url}: {error!r}", file=sys.stderr)
        return 1
    if status == "healthy":
        return 0
    print(f"{url}: {component} is {status}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
