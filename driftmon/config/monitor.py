"""What a monitor file says, validated and frozen."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from functools import cached_property
from string import Formatter
from typing import TYPE_CHECKING, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, ValidationInfo, field_validator, model_validator

from driftmon.config.places import Place, Strict
from driftmon.config.windows import Rolling, rolling
from driftmon.core.verdict import Threshold
from driftmon.core.window import Window
from driftmon.schedule import GRID_ORIGIN, Schedule, parse_duration, parse_instant

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Columns", "Monitor", "Thresholds", "json_schema"]

DIRECTIVE = re.compile(r"%[-_]?[a-zA-Z]")
"""A part of a format of times."""

NAME = r"^[a-z0-9_-]{1,63}$"
GRACE = timedelta(hours=1)
"""How much later than its data a window may be checked before the monitor counts as stale."""


class Thresholds(Strict):
    """KL divergence in nats at which drift beyond noise becomes a warning, and critical."""

    warning: float = Field(default=Threshold.warning, gt=0, allow_inf_nan=False, description="nats")
    critical: float = Field(default=Threshold.critical, gt=0, allow_inf_nan=False, description="nats")

    @model_validator(mode="after")
    def _ordered(self) -> Thresholds:
        if self.warning > self.critical:
            raise ValueError(f"warning {self.warning} is above critical {self.critical}; warning must come first")
        return self


class Columns(Strict):
    """Which columns to monitor, and as what."""

    features: list[str] | None = Field(
        default=None, description="Default: every column but the timestamp and identifiers."
    )
    predictions: list[str] = Field(default_factory=list)
    targets: list[str] = Field(default_factory=list)
    exclude: list[str] = Field(default_factory=list)
    kinds: dict[str, Literal["numeric", "categorical", "boolean", "datetime", "text", "embedding"]] = Field(
        default_factory=dict, description="Default: from the data type."
    )

    @model_validator(mode="after")
    def _disjoint(self) -> Columns:
        seen: dict[str, str] = {}
        for role, names in (
            ("features", self.features or []),
            ("predictions", self.predictions),
            ("targets", self.targets),
            ("exclude", self.exclude),
        ):
            for name in names:
                if name in seen:
                    raise ValueError(f"column {name!r} is in {seen[name]} and in {role}; name it once")
                seen[name] = role
        return self

    @property
    def included(self) -> list[str] | None:
        """The columns to monitor; None for all."""
        return None if self.features is None else [*self.features, *self.predictions, *self.targets]

    @property
    def roles(self) -> dict[str, str]:
        """The role of each column that is not a feature."""
        return {**dict.fromkeys(self.predictions, "prediction"), **dict.fromkeys(self.targets, "target")}


class Monitor(Strict):
    """What to check, how, and when to worry: one monitor file, validated and frozen."""

    name: str = Field(pattern=NAME, description="Unique; default: the file's stem.")
    model: str = Field(min_length=1, description="The model that is watched; default: the name.")
    description: str = ""
    owner: str = ""
    # Before the schedule, whose validator reads it.
    timezone: str = Field(default="UTC", description="Of the schedule and of naive timestamps: America/New_York")
    schedule: str = Field(
        default="@daily", description="Cron expression, @hourly/@daily/@weekly, or a duration such as 6h."
    )
    window: str | None = Field(
        default=None,
        description="Length of each checked window, a whole multiple of the schedule's step: 7d checks the last week every day. Default: one step.",
    )
    data_delay: str = Field(default="0m", description="How long after a window's end its rows may still arrive: 2h")
    reference: Place
    live: Place
    columns: Columns = Field(default_factory=Columns)
    segments: list[str] = Field(default_factory=list, description="Also check the rows of each value of these columns.")
    thresholds: Thresholds = Field(default_factory=Thresholds)
    column_thresholds: dict[str, Thresholds] = Field(default_factory=dict)
    min_rows: int = Field(default=100, ge=1, description="Windows with fewer rows are insufficient_data.")
    notify: Literal["warning", "critical", "off"] = Field(
        default="warning", description="Least severity of which the check itself tells people (docs/notifications.md)."
    )

    @field_validator("timezone")
    @classmethod
    def _zone(cls, text: str) -> str:
        try:
            ZoneInfo(text)
        except (ZoneInfoNotFoundError, ValueError, OSError) as exc:
            raise ValueError(f"{text!r} is not an IANA time zone such as America/New_York") from exc
        return text

    @field_validator("data_delay")
    @classmethod
    def _delay(cls, text: str) -> str:
        if text not in {"0", "0m"}:
            parse_duration(text)
        return text

    @field_validator("schedule")
    @classmethod
    def _schedule(cls, text: str, info: ValidationInfo) -> str:
        Schedule(text, info.data.get("timezone", "UTC"))  # a time zone that failed has a problem of its own
        return text

    @field_validator("window")
    @classmethod
    def _window(cls, text: str | None, info: ValidationInfo) -> str | None:
        if text is not None:
            # A schedule or time zone that failed has a problem of its own.
            schedule, timezone = info.data.get("schedule"), info.data.get("timezone", "UTC")
            parse_duration(text) if schedule is None else rolling(text, Schedule(schedule, timezone))
        return text

    @model_validator(mode="after")
    def _consistent(self) -> Monitor:
        if self.reference.windowed:
            raise ValueError(
                "reference.path holds a placeholder of the window; the reference is the same for every window"
            )
        if self.reference.timestamp is None and (self.reference.start or self.reference.end):
            raise ValueError("reference.start and reference.end need reference.timestamp: the column they bound")
        if not self.live.windowed and self.live.timestamp is None:
            raise ValueError(
                "live needs a timestamp column or a {start:%Y-%m-%d} placeholder in its path, to tell windows apart"
            )
        if self.live.windowed:
            self._format_check()
        for name, place in (("reference", self.reference), ("live", self.live)):
            if (
                place.start
                and place.end
                and parse_instant(place.start, self.zone) >= parse_instant(place.end, self.zone)
            ):
                raise ValueError(
                    f"{name}.start {place.start!r} is not before {name}.end {place.end!r}; swap or correct them"
                )
        return self

    def _format_check(self) -> None:
        path = self.live.path or ""
        try:
            path.format(start=GRID_ORIGIN, end=GRID_ORIGIN)
        except (KeyError, IndexError, ValueError) as exc:
            raise ValueError(
                f"live.path {path!r} has a placeholder that is neither {{start:...}} nor {{end:...}}: {exc}"
            ) from exc
        for _, name, form, _ in Formatter().parse(path):
            if name is not None and not DIRECTIVE.search(form or ""):
                raise ValueError(
                    f"live.path {path!r} says not how its time is written; expected a format, such as {{{name}:%Y-%m-%d}}"
                )

    @cached_property
    def zone(self) -> ZoneInfo:
        """The monitor's time zone."""
        return ZoneInfo(self.timezone)

    @cached_property
    def steps(self) -> Schedule:
        """The schedule: a check is due at the end of each of its steps."""
        return Schedule(self.schedule, self.timezone)

    @cached_property
    def rolling(self) -> Rolling | None:
        """Windows of several steps, one ending with each; None if every window is one step."""
        return None if self.window is None else rolling(self.window, self.steps)

    @property
    def windows(self) -> Schedule | Rolling:
        """The windows that are checked, one for each step of the schedule."""
        return self.rolling or self.steps

    def window_ending(self, step: Window) -> Window:
        """The window that is checked when a step of the schedule is over; a span that is no step stands for itself."""
        return step if self.rolling is None or not self.steps.has(step) else self.rolling.ending(step)

    def last_step(self, window: Window) -> Window:
        """The step of the schedule that one of the monitor's windows ends with."""
        return window if self.rolling is None else self.rolling.last_step(window)

    @property
    def delay(self) -> timedelta:
        """How long after a window's end its rows may still arrive."""
        return timedelta(0) if self.data_delay in {"0", "0m"} else parse_duration(self.data_delay)

    @property
    def reference_span(self) -> Window | None:
        """The bounds of the reference; None if it has none."""
        place = self.reference
        if place.start is None and place.end is None:
            return None
        far_past, far_future = datetime(1700, 1, 1, tzinfo=self.zone), datetime(2250, 1, 1, tzinfo=self.zone)
        start = parse_instant(place.start, self.zone) if place.start else far_past
        end = parse_instant(place.end, self.zone) if place.end else far_future
        return Window(start, end)

    def newest_window(self, now: datetime) -> Window:
        """The newest window of the schedule whose rows have all arrived, and that lies before the end of the live data."""
        complete = now - self.delay
        if self.live.end is not None:
            complete = min(complete, parse_instant(self.live.end, self.zone))
        return self.windows.newest_complete(complete)

    def scheduled_windows(self, now: datetime) -> Iterator[Window]:
        """The windows that a scheduler checks by itself: from the start of the live data, complete by now; none without a start."""
        if self.live.start is None:
            return iter(())
        return self.windows.between(parse_instant(self.live.start, self.zone), self.newest_window(now).end)

    def threshold(self, thresholds: Thresholds) -> Threshold:
        """A configured threshold as the core's value."""
        return Threshold(warning=thresholds.warning, critical=thresholds.critical)

    @property
    def last_end(self) -> datetime | None:
        """End of the last window that there will be, by ``live.end``; None if there is always a next one."""
        if self.live.end is None:
            return None
        return self.windows.newest_complete(parse_instant(self.live.end, self.zone)).end

    def max_window_age(self, now: datetime) -> timedelta:
        """How old the newest window's end may be before the monitor is stale; a step, also of longer windows."""
        return self.windows.longest(now) + self.delay + GRACE


def json_schema() -> dict[str, Any]:
    """The JSON Schema of a monitor file, for editors."""
    schema = Monitor.model_json_schema()
    # Both default to something that depends on the file.
    schema["required"] = [key for key in schema["required"] if key not in {"name", "model"}]
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "driftmon monitor"}
