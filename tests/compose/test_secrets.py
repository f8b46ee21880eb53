"""scripts/secrets.sh: random values once, never another time, and nobody else reads them."""

from __future__ import annotations

import base64
import re
import shutil
import subprocess

import pytest

from tests.compose.stack import PROJECT, read_env

SHELLS = [shell for shell in ("dash", "bash") if shutil.which(shell)]


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "scripts").mkdir()
    shutil.copy(PROJECT / "scripts" / "secrets.sh", tmp_path / "scripts")
    shutil.copy(PROJECT / ".env.example", tmp_path)
    return tmp_path


def run(folder, shell="sh"):
    done = subprocess.run(
        [shell, folder / "scripts" / "secrets.sh"], capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


@pytest.mark.parametrize("shell", SHELLS)
def test_every_empty_value_becomes_a_random_one_of_its_own(folder, shell):
    said = run(folder, shell)

    written = read_env(folder / ".env")
    assert list(written) == list(read_env(folder / ".env.example"))
    assert len(set(written.values())) == len(written)
    for name, value in written.items():
        assert f"{name}: a random value\n" in said
        assert value not in said
        if name == "AIRFLOW_FERNET_KEY":
            assert len(base64.urlsafe_b64decode(value)) == 32
        else:
            assert re.fullmatch("[0-9a-f]{48}", value)  # nothing that a URL, compose or Grafana reads as something else


def test_the_fernet_key_is_one_for_airflow(folder):
    from cryptography.fernet import Fernet

    run(folder)

    fernet = Fernet(read_env(folder / ".env")["AIRFLOW_FERNET_KEY"])
    assert fernet.decrypt(fernet.encrypt(b"a word")) == b"a word"


def test_two_runs_of_the_script_in_two_places_share_no_value(folder, tmp_path_factory):
    other = tmp_path_factory.mktemp("other")
    shutil.copytree(folder, other, dirs_exist_ok=True)

    run(folder)
    run(other)

    assert not set(read_env(folder / ".env").values()) & set(read_env(other / ".env").values())


def test_a_second_run_changes_nothing(folder):
    run(folder)
    before = (folder / ".env").read_bytes()

    said = run(folder)

    assert (folder / ".env").read_bytes() == before
    assert said.splitlines() == [
        ".env: is there, and keeps every value that it has",
        "secrets/: is there",
        "next: docker compose up -d",
    ]


def test_values_and_lines_of_ones_own_stay(folder):
    mine = "# mine\nGRAFANA_ADMIN_PASSWORD=chosen by me\nGRAFANA_PORT=3300\nAIRFLOW_JWT_SECRET=\nOTHER=\nLAST=without an end"
    (folder / ".env").write_text(mine)

    said = run(folder)

    lines = (folder / ".env").read_text().splitlines()
    assert lines[:3] == mine.splitlines()[:3]
    assert re.fullmatch("AIRFLOW_JWT_SECRET=[0-9a-f]{48}", lines[3])
    assert lines[4:6] == ["OTHER=", "LAST=without an end"]
    assert "AIRFLOW_JWT_SECRET: a random value" in said
    assert "POSTGRES_PASSWORD: new, a random value" in said
    assert set(read_env(folder / ".env.example")) <= set(read_env(folder / ".env"))


def test_nobody_else_may_read_what_it_writes_whatever_was_allowed_before(folder):
    (folder / ".env").write_text("POSTGRES_PASSWORD=\n")
    (folder / ".env").chmod(0o644)

    run(folder)

    assert (folder / ".env").stat().st_mode & 0o777 == 0o600
    assert sorted(path.name for path in folder.iterdir()) == [".env", ".env.example", "scripts", "secrets"]


def test_files_for_receivers_can_be_read_by_the_container_and_by_nobody_else_here(folder):
    run(folder)

    assert (folder / "secrets").stat().st_mode & 0o777 == 0o700
    assert (folder / "secrets" / "alertmanager").stat().st_mode & 0o777 == 0o755
    assert (folder / "secrets" / "notify").stat().st_mode & 0o777 == 0o755


def test_a_folder_that_a_newer_script_makes_is_made_beside_an_older_one(folder):
    run(folder)
    (folder / "secrets" / "notify").rmdir()
    (folder / "secrets" / "alertmanager" / "slack").write_text("mine")

    said = run(folder)

    assert "secrets/: made secrets/notify, " in said
    assert (folder / "secrets" / "notify").is_dir()
    assert (folder / "secrets" / "alertmanager" / "slack").read_text() == "mine"


def test_secrets_stay_out_of_git_and_of_images():
    ignored = (PROJECT / ".gitignore").read_text().splitlines()

    assert {".env", ".env.new", "secrets/"} <= set(ignored)
    assert all(
        line.endswith("=") for line in (PROJECT / ".env.example").read_text().splitlines() if line and line[0].isalpha()
    )
    assert (PROJECT / ".dockerignore").read_text().splitlines()[1] == "*"
