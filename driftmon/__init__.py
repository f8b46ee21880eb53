"""
Drift monitoring with KL divergence: what moved between the data a model learnt from and the data it sees.

``driftmon.compare(reference, live)`` compares two tables; the command ``driftmon`` and the DAGs do it on a schedule.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from driftmon.comparison import Comparison, compare

__version__ = "0.1.0"

__all__ = ["Comparison", "__version__", "compare"]


def __getattr__(name: str) -> object:
    # Late, so that `import driftmon` stays cheap: comparing needs numpy and pyarrow, importing does not.
    if name in {"Comparison", "compare"}:
        from driftmon import comparison  # noqa: PLC0415 - the reason above

        return getattr(comparison, name)
    raise AttributeError(f"module 'driftmon' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
