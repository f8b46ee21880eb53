"""``driftmon airflow``: an Airflow of one machine, with all the processes that scheduled checks need."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from driftmon.cli.options import DriftmonCommand, database_option, monitors_option
from driftmon.settings import database_url, home

if TYPE_CHECKING:
    from typing import Any

    from driftmon.airflow.settings import StackSettings

__all__ = ["airflow"]

home_option = click.option(
    "--airflow-home",
    type=click.Path(path_type=Path),
    envvar="AIRFLOW_HOME",
    help="Where Airflow keeps its things.  [default: airflow in DRIFTMON_HOME]",
)


@click.group()
def airflow() -> None:
    """Run a small Airflow for scheduled checks."""


@airflow.command(cls=DriftmonCommand)
@home_option
@click.option("--dags", type=click.Path(path_type=Path), default="dags", show_default=True, help="Folder of DAG files.")
@click.option("--port", type=click.IntRange(0, 65535), default=8080, show_default=True, help="0 takes any free one.")
@click.option("--parallelism", type=click.IntRange(min=1), default=4, show_default=True, help="Tasks at once.")
@click.option("--metadata", metavar="URL", help="Airflow's own database.  [default: SQLite in its home]")
@monitors_option
@database_option
def up(  # noqa: PLR0913 - one parameter an option
    *,
    airflow_home: Path | None,
    dags: Path,
    port: int,
    parallelism: int,
    metadata: str | None,
    folder: Path,
    url: str | None,
) -> None:
    """Start Airflow and watch over it until Ctrl-C: api-server, scheduler, dag-processor."""
    from driftmon.airflow.stack import up as run  # noqa: PLC0415 - keeps --help light

    settings = _settings(
        airflow_home,
        dags=dags,
        port=port,
        parallelism=parallelism,
        database_url=metadata,
        environment={
            "DRIFTMON_HOME": str(home()),
            "DRIFTMON_MONITORS": str(folder.absolute()),
            "DRIFTMON_DATABASE_URL": database_url(url),
        },
    )
    run(settings, log=lambda line: click.echo(line, err=True))


@airflow.command(cls=DriftmonCommand)
@home_option
def status(*, airflow_home: Path | None) -> None:
    """Say whether Airflow runs and how its components are; exit with 3 if not all are well."""
    from driftmon.airflow.stack import status as status_of  # noqa: PLC0415 - keeps --help light

    found = status_of(_settings(airflow_home))
    click.echo(str(found))
    if not found.healthy:
        raise click.exceptions.Exit(3)


@airflow.command(cls=DriftmonCommand)
@home_option
def down(*, airflow_home: Path | None) -> None:
    """Stop Airflow, whichever terminal started it."""
    from driftmon.airflow.stack import down as stop  # noqa: PLC0415 - keeps --help light

    stop(_settings(airflow_home), log=lambda line: click.echo(line, err=True))


def _settings(airflow_home: Path | None, *, dags: Path = Path("dags"), **chosen: Any) -> StackSettings:  # noqa: ANN401 - passed on
    from driftmon.airflow.settings import StackSettings  # noqa: PLC0415 - keeps --help light

    return StackSettings(home=airflow_home or home() / "airflow", dags=dags, **chosen)
