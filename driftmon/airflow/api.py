"""A small client of Airflow's REST interface: what the demo, the tests and the supervisor ask of it, with the standard library alone."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from http.client import HTTPException
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError
from urllib.parse import quote, urlencode
from urllib.request import ProxyHandler, Request, build_opener

from driftmon.airflow.errors import ApiError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["AirflowApi", "Dag", "DagRun", "Heartbeat", "ImportProblem"]

PAGE = 100
"""Rows a request; Airflow gives no more than that by default."""

FINISHED = ("success", "failed")


@dataclass(frozen=True)
class Dag:
    """A DAG as the list of DAGs shows it."""

    dag_id: str
    description: str
    tags: frozenset[str]


@dataclass(frozen=True)
class DagRun:
    """One run of a DAG; the window is None if Airflow knows no data interval for it (manual runs)."""

    dag_id: str
    run_id: str
    run_type: str
    state: str
    window_start: datetime | None
    window_end: datetime | None
    started: datetime | None
    ended: datetime | None

    @property
    def finished(self) -> bool:
        """Whether it ended, well or not."""
        return self.state in FINISHED


@dataclass(frozen=True)
class ImportProblem:
    """A DAG file that could not be read, and why."""

    file: str
    message: str


@dataclass(frozen=True)
class Heartbeat:
    """The health of a component (``healthy`` or ``unhealthy``), and when it was last heard of."""

    health: str
    at: datetime | None


class AirflowApi:
    """
    Airflow's REST interface at an address.

    Parameters
    ----------
    url : str
        Without a path, such as ``http://127.0.0.1:8080``.
    username, password : str
        Of the simple auth manager. `health` and `tasks_can_run` need neither.
    timeout : float
        Seconds to wait for each answer.
    """

    def __init__(self, url: str, *, username: str = "", password: str = "", timeout: float = 30.0) -> None:
        self.url = url
        self._credentials = {"username": username, "password": password}
        self._timeout = timeout
        self._token: str | None = None
        # Never through a proxy: that is for the outer world, and we talk to our own machine.
        self._opener = build_opener(ProxyHandler({}))

    def health(self) -> dict[str, Heartbeat]:
        """Health of the metadata database and of each component that has ever run, by Airflow's names for them."""
        found = self._send("GET", "/api/v2/monitor/health", signed=False)
        return {name: _heartbeat(name, fields) for name, fields in found.items() if fields["status"] is not None}

    def tasks_can_run(self) -> bool:
        """
        Whether the interface that tasks report to answers.

        Asking also makes the server build it, which takes seconds and is otherwise done while the first task waits.
        """
        return bool(self._send("GET", "/execution/health", signed=False)["status"] == "healthy")

    def dags(self) -> tuple[Dag, ...]:
        """All DAGs that Airflow has read and not found gone."""
        rows = self._rows("/api/v2/dags", "dags", exclude_stale="true")
        return tuple(
            Dag(row["dag_id"], row["description"] or "", frozenset(tag["name"] for tag in row["tags"])) for row in rows
        )

    def dag_ids(self) -> tuple[str, ...]:
        """The ids of `dags`."""
        return tuple(dag.dag_id for dag in self.dags())

    def import_problems(self) -> tuple[ImportProblem, ...]:
        """The DAG files that could not be read."""
        rows = self._rows("/api/v2/importErrors", "import_errors")
        return tuple(ImportProblem(row["filename"], row["stack_trace"]) for row in rows)

    def dag_runs(self, dag_id: str) -> tuple[DagRun, ...]:
        """All runs of a DAG, the earliest to be due first."""
        rows = self._rows(f"/api/v2/dags/{quote(dag_id)}/dagRuns", "dag_runs", order_by="run_after")
        return tuple(_dag_run(row) for row in rows)

    def trigger(self, dag_id: str, *, params: Mapping[str, Any]) -> DagRun:
        """Start a run by hand. It has no data interval: what it is about must be in the parameters."""
        body = {"logical_date": None, "conf": dict(params)}
        return _dag_run(self._send("POST", f"/api/v2/dags/{quote(dag_id)}/dagRuns", body))

    def set_paused(self, dag_id: str, *, paused: bool) -> None:
        """Switch a DAG's schedule off or on."""
        self._send("PATCH", f"/api/v2/dags/{quote(dag_id)}", {"is_paused": paused})

    def _rows(self, path: str, key: str, **query: str) -> list[dict[str, Any]]:
        """All rows of a list, page by page."""
        rows: list[dict[str, Any]] = []
        while True:
            page = self._send("GET", f"{path}?{urlencode({'limit': PAGE, 'offset': len(rows), **query})}")
            rows += page[key]
            if not page[key] or len(rows) >= page["total_entries"]:
                return rows

    def _send(self, method: str, path: str, body: Mapping[str, Any] | None = None, *, signed: bool = True) -> Any:  # noqa: ANN401 - JSON
        if not signed:
            return self._exchange(method, path, body, {})
        try:
            return self._exchange(method, path, body, self._signature())
        except ApiError as exc:
            if exc.status != HTTPStatus.UNAUTHORIZED:
                raise
        # Tokens end after a day.
        self._token = None
        return self._exchange(method, path, body, self._signature())

    def _signature(self) -> dict[str, str]:
        if self._token is None:
            self._token = self._exchange("POST", "/auth/token", self._credentials, {})["access_token"]
        return {"Authorization": f"Bearer {self._token}"}

    def _exchange(self, method: str, path: str, body: Mapping[str, Any] | None, headers: Mapping[str, str]) -> Any:  # noqa: ANN401 - JSON
        data = None if body is None else json.dumps(body).encode()
        request = Request(  # noqa: S310 - the address is ours
            self.url + path, data=data, method=method, headers={"Content-Type": "application/json", **headers}
        )
        try:
            with self._opener.open(request, timeout=self._timeout) as answer:
                return json.load(answer)
        except HTTPError as exc:
            detail = exc.read(1000).decode(errors="replace")
            raise ApiError(f"{method} {self.url}{path}: {exc.code} {exc.reason}: {detail}", status=exc.code) from None
        except (OSError, HTTPException, ValueError) as exc:
            raise ApiError(f"{method} {self.url}{path}: no answer ({exc})") from None


def _instant(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _heartbeat(name: str, fields: Mapping[str, Any]) -> Heartbeat:
    return Heartbeat(fields["status"], _instant(fields.get(f"latest_{name}_heartbeat")))


def _dag_run(row: Mapping[str, Any]) -> DagRun:
    return DagRun(
        dag_id=row["dag_id"],
        run_id=row["dag_run_id"],
        run_type=row["run_type"],
        state=row["state"],
        window_start=_instant(row["data_interval_start"]),
        window_end=_instant(row["data_interval_end"]),
        started=_instant(row["start_date"]),
        ended=_instant(row["end_date"]),
    )
