"""Sources whose rows this process can read, as Arrow columns: all that differs is where the rows come from."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from driftmon.core.baseline import BaselineColumn, Learnt
    from driftmon.core.histogram import Profile
    from driftmon.core.history import History
    from driftmon.core.window import Window
    from driftmon.sources.arrow.reading import Reader
    from driftmon.sources.base import Inspection, Selection

__all__ = ["ReadableSource"]


class ReadableSource(ABC):
    """
    What `Source` asks for, on top of one reading of the rows.

    A source that can count without moving rows (a database) overrides `count` and `history`, and falls back on these.
    """

    @abstractmethod
    def _reader(self, window: Window | None) -> Reader:
        """The rows of a window; None: all."""

    def _whole(self) -> Reader:
        """All rows, or some that stand for them, to see what there is."""
        return self._reader(None)

    def inspect(self) -> Inspection:
        """Columns, types and, where that is known, the number of rows."""
        from driftmon.sources.arrow import kernel  # noqa: PLC0415 - Arrow loads slowly; constructors must not

        return kernel.inspect(self._whole())

    def span(self) -> Window | None:
        """From when to when the rows are, by their timestamps; None without any."""
        from driftmon.sources.arrow.extent import extent  # noqa: PLC0415 - as above

        return extent(self._whole())

    def learn(self, selection: Selection, window: Window | None = None) -> Learnt:
        """Learn layouts from the rows of a window; see `Source.learn`."""
        from driftmon.sources.arrow import kernel  # noqa: PLC0415 - as above

        return kernel.learn(self._reader(window), selection)

    def count(
        self,
        columns: Mapping[str, BaselineColumn],
        window: Window | None = None,
        *,
        segments: Mapping[str, Sequence[str]] | None = None,
    ) -> Profile:
        """Count the rows of a window into learnt layouts; see `Source.count`."""
        from driftmon.sources.arrow import kernel  # noqa: PLC0415 - as above

        return kernel.count(self._reader(window), columns, segments)

    def history(
        self,
        columns: Mapping[str, BaselineColumn],
        split: Sequence[Window] | int,
        window: Window | None = None,
        *,
        segments: Mapping[str, Sequence[str]] | None = None,
    ) -> History:
        """Count many windows, or blocks of rows, in one pass; see `Source.history`."""
        from driftmon.sources.arrow import kernel  # noqa: PLC0415 - as above

        return kernel.history(self._reader(window), columns, split, segments)
