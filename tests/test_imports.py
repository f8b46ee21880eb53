"""What is cheap stays cheap: importing driftmon, asking for help, and reading the DAG folder load nothing heavy."""

import json
import subprocess
import sys

import pytest

import driftmon

HEAVY = {"airflow", "pandas", "pyarrow", "sqlalchemy", "prometheus_client", "numpy", "scipy", "pydantic", "rich"}


def loaded_by(code):
    """Top-level modules that a fresh interpreter has loaded after some code."""
    script = f"{code}\nimport sys, json\nprint(json.dumps(sorted({{name.partition('.')[0] for name in sys.modules}})))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.parametrize(
    "code",
    [
        "import driftmon",
        "import driftmon.cli",
        "from driftmon.cli import main\ntry: main(['--help'])\nexcept SystemExit: pass",
        "from driftmon.cli import main\ntry: main(['check', '--help'])\nexcept SystemExit: pass",
        "import driftmon.errors, driftmon.core, driftmon.core.window",
    ],
)
def test_nothing_heavy_is_loaded(code):
    assert loaded_by(code) & HEAVY == set()


def test_reading_monitor_files_loads_neither_data_nor_database_libraries():
    loaded = loaded_by("import driftmon.config")

    assert loaded & {"airflow", "pandas", "pyarrow", "sqlalchemy", "prometheus_client"} == set()


def test_the_public_names_are_sorted_documented_and_there():
    assert driftmon.__all__ == sorted(driftmon.__all__)
    assert dir(driftmon) == driftmon.__all__
    for name in driftmon.__all__:
        assert getattr(driftmon, name).__doc__


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="has no attribute 'compair'"):
        driftmon.compair  # noqa: B018 - the access is the test
