"""Where a monitor's rows are: files, a database, a cluster, a lake table."""

from __future__ import annotations

import re
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from driftmon.schedule import parse_instant

__all__ = ["DeltaPlace", "IcebergPlace", "Place", "SparkPlace", "SqlPlace", "Strict"]


class Strict(BaseModel):
    """Every mapping of a monitor file: unknown keys are errors, values are what they look like, nothing changes later."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class SqlPlace(Strict):
    """A table, view or query of a database; the database counts."""

    connection: str = Field(
        min_length=1,
        description="env:NAME (an environment variable that holds a URL), airflow:CONNECTION_ID, or a URL of SQLAlchemy.",
    )
    table: str | None = Field(default=None, min_length=1, description="Table or view: schema.table")
    query: str | None = Field(default=None, min_length=1, description="A select statement, instead of a table.")

    @model_validator(mode="after")
    def _one(self) -> SqlPlace:
        _exactly_one({"table": self.table, "query": self.query})
        return self

    @property
    def where(self) -> str:
        """The place in words that hold no secret."""
        return f"table {self.table}" if self.table else "the query"


class SparkPlace(Strict):
    """A table, files or query of a Spark cluster; the cluster counts."""

    table: str | None = Field(default=None, min_length=1, description="Table of the session's catalogue: lake.flights")
    path: str | None = Field(default=None, min_length=1, description="Files as the cluster sees them.")
    query: str | None = Field(default=None, min_length=1, description="A select statement, instead of a table.")
    format: str | None = Field(
        default=None, min_length=1, description="Of the files: parquet (default), delta, orc, csv …"
    )
    master: str | None = Field(default=None, min_length=1, description="spark://HOST:PORT, yarn, local[4] …")
    remote: str | None = Field(default=None, min_length=1, description="Spark Connect: sc://HOST:PORT")

    @model_validator(mode="after")
    def _one(self) -> SparkPlace:
        _exactly_one({"table": self.table, "path": self.path, "query": self.query})
        if self.format is not None and self.path is None:
            raise ValueError("format belongs to path; tables and queries know their own")
        if self.master is not None and self.remote is not None:
            raise ValueError("gives master and remote; give the one that the cluster is reached by")
        return self

    @property
    def where(self) -> str:
        """The place in words."""
        return f"table {self.table}" if self.table else self.path or "the query"


class DeltaPlace(Strict):
    """A Delta Lake table, read without a cluster."""

    path: str = Field(min_length=1, description="Folder or URL of the table.")
    version: int | None = Field(default=None, ge=0, description="Of the table; default: the newest.")

    @property
    def where(self) -> str:
        """The place in words."""
        return self.path


class IcebergPlace(Strict):
    """An Iceberg table, read without a cluster."""

    catalog: str = Field(min_length=1, description="Name of the catalogue in pyiceberg's own configuration.")
    table: str = Field(min_length=1, description="namespace.table")
    snapshot: int | None = Field(default=None, description="Of the table; default: the newest.")

    @property
    def where(self) -> str:
        """The place in words."""
        return f"table {self.catalog}.{self.table}"


class Place(Strict):
    """Where rows are, and which of them. Exactly one of `path`, `sql`, `spark`, `delta` and `iceberg`."""

    path: str | None = Field(
        default=None,
        min_length=1,
        description=(
            "File, folder, glob, hive-partitioned folder or URL. A live path may hold {start:%Y-%m-%d} and {end:...} of the "
            "window, in the monitor's time zone. Relative paths start at the folder that holds the monitors folder."
        ),
    )
    sql: SqlPlace | None = Field(default=None, description="A table or query of a database, which does the counting.")
    spark: SparkPlace | None = Field(default=None, description="A table of a Spark cluster, which does the counting.")
    delta: DeltaPlace | None = Field(default=None, description="A Delta Lake table, read without a cluster.")
    iceberg: IcebergPlace | None = Field(default=None, description="An Iceberg table, read without a cluster.")
    timestamp: str | None = Field(
        default=None, description="Column with the time of a row; naive values are in the monitor's time zone."
    )
    start: str | None = Field(
        default=None, description="Rows (of the reference) or windows (of live data) from here on: 2013-01-01"
    )
    end: str | None = Field(default=None, description="Rows or windows before here: 2013-04-01")

    @field_validator("start", "end")
    @classmethod
    def _instant(cls, text: str | None) -> str | None:
        if text is not None:
            parse_instant(text, ZoneInfo("UTC"))
        return text

    @model_validator(mode="after")
    def _one(self) -> Place:
        _exactly_one(
            {"path": self.path, "sql": self.sql, "spark": self.spark, "delta": self.delta, "iceberg": self.iceberg}
        )
        return self

    @property
    def windowed(self) -> bool:
        """True if the path names the window."""
        return bool(re.search(r"\{(start|end)\b", self.template))

    @property
    def template(self) -> str:
        """The path that may name the window; empty for tables and queries."""
        return self.path or (self.spark.path if self.spark is not None else None) or ""

    @property
    def where(self) -> str:
        """The place in words that hold no secret, for messages."""
        table = self.sql or self.spark or self.delta or self.iceberg
        return self.path or (table.where if table is not None else "")


def _exactly_one(given: dict[str, object]) -> None:
    there = [name for name, value in given.items() if value is not None]
    *names, last = given
    if not there:
        raise ValueError(f"says not where the rows are; give {', '.join(names)} or {last}")
    if len(there) > 1:
        raise ValueError(f"gives {' and '.join(there)}; give the one that holds the rows")
