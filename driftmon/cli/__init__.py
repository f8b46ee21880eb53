"""
The command line: every command, its options and its manners.

Results go to standard output, everything else to standard error. Modules of this package import nothing slow at the top, so that
``driftmon --help`` costs nothing.
"""

from __future__ import annotations

import io
import sys
from typing import TYPE_CHECKING

import click

from driftmon import __version__
from driftmon.cli import (
    airflow,
    baseline,
    check,
    compare,
    database,
    doctor,
    explain,
    monitors,
    notify,
    plan,
    prune,
    replay,
    report,
    serve,
)
from driftmon.errors import DriftmonError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["main"]

INTERRUPTED = 130


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120})
@click.version_option(__version__, prog_name="driftmon")
def cli() -> None:
    """
    Watch what a model sees move away from what it learnt from.

    Start with: driftmon compare REFERENCE LIVE
    """


for command in (
    compare.compare,
    monitors.init,
    monitors.validate,
    monitors.schema,
    baseline.baseline,
    check.check,
    check.backfill,
    check.history,
    explain.explain,
    plan.plan,
    replay.replay,
    report.report,
    serve.serve,
    notify.notify,
    doctor.doctor,
    database.db,
    prune.prune,
    airflow.airflow,
):
    cli.add_command(command)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command and exit with its status: 0, 1 (drift, where asked), 2 (usage), 3 (data or database), 130 (interrupted)."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # an arrow that the terminal has no letter for is no reason to fail
    sys.exit(_run(given, debug="--debug" in given))


def _run(arguments: list[str], *, debug: bool) -> int:
    try:
        return cli.main(arguments, prog_name="driftmon", standalone_mode=False) or 0
    except click.exceptions.Exit as exc:
        return exc.exit_code
    except (KeyboardInterrupt, click.Abort):
        click.echo("driftmon: interrupted; what was stored stays, run the command again to go on", err=True)
        return INTERRUPTED
    except BrokenPipeError:
        sys.stdout = None  # whoever read has gone: nothing is left to say, not even by the interpreter's last flush
        return 0
    except Exception as exc:
        if debug and not isinstance(exc, click.ClickException):
            raise
        return _complain(exc)


def _complain(error: Exception) -> int:
    """Say what is wrong in one line a problem, and give the exit status."""
    if isinstance(error, click.ClickException):
        error.show()
        return 2
    if not isinstance(error, DriftmonError):
        message = " ".join(str(error).split())
        click.echo(f"driftmon: internal error: {type(error).__name__}: {message}", err=True)
        click.echo("driftmon: this is a defect of driftmon; please report it with the output of --debug", err=True)
        return DriftmonError.exit_code
    from driftmon.words import printable  # noqa: PLC0415 - numpy, not for --help

    for line in str(error).splitlines() or [type(error).__name__]:
        click.echo(f"driftmon: {printable(line)}", err=True)
    if error.retryable:
        click.echo("driftmon: trying again later can help", err=True)
    return error.exit_code
