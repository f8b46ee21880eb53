"""From what a monitor file says of a place to the source that reads it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from driftmon.sources.base import no_progress
from driftmon.sources.files import FilesSource

if TYPE_CHECKING:
    from driftmon.config import Place
    from driftmon.sources.base import Progress, Source

__all__ = ["open_source"]


def open_source(place: Place, *, timezone: str, progress: Progress = no_progress) -> Source:
    """
    The source of a place; nothing is read yet.

    Parameters
    ----------
    place : Place
        Exactly one kind of place is given in it.
    timezone : str
        The monitor's: of timestamps that carry none.
    progress : Progress, optional
    """
    if place.path is not None:
        return FilesSource(place.path, timestamp=place.timestamp, timezone=timezone, progress=progress)
    if place.sql is not None:
        from driftmon.sources.sql.source import SqlSource  # noqa: PLC0415 - only for those who have a database

        return SqlSource(**place.sql.model_dump(), timestamp=place.timestamp, timezone=timezone, progress=progress)
    if place.spark is not None:
        from driftmon.sources.spark.source import SparkSource  # noqa: PLC0415 - only for those who have a cluster

        return SparkSource(**place.spark.model_dump(), timestamp=place.timestamp, timezone=timezone, progress=progress)
    from driftmon.sources.lake import DeltaSource, IcebergSource  # noqa: PLC0415 - only for those who have a lake

    if place.delta is not None:
        return DeltaSource(**place.delta.model_dump(), timestamp=place.timestamp, timezone=timezone, progress=progress)
    if place.iceberg is not None:
        return IcebergSource(
            **place.iceberg.model_dump(), timestamp=place.timestamp, timezone=timezone, progress=progress
        )
    raise ValueError("a place has one kind of place")
