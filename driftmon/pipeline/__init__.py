"""
The only place where I/O meets maths: build a baseline, check a window, check many.

Each function reads rows through a source, hands counts to the core and stores what comes out, a check in one transaction, so that
it can be killed at any moment and run again.
"""

from driftmon.pipeline.building import build_baseline
from driftmon.pipeline.checking import CheckStep, backfill, backfill_together, run_check, run_checks
from driftmon.pipeline.counting import live_rows
from driftmon.pipeline.values import facts_of, live_source, policy_of

__all__ = [
    "CheckStep",
    "backfill",
    "backfill_together",
    "build_baseline",
    "facts_of",
    "live_rows",
    "live_source",
    "policy_of",
    "run_check",
    "run_checks",
]
