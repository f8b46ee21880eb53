"""``driftmon plan`` as a person uses it."""

from datetime import date

import pytest


def test_plan_says_first_what_shows(ready):
    run = ready.run("plan", "shop")

    assert run.status == 0
    assert run.out.startswith(
        "shop: in a window of 1,000 rows, a shift as large as the warning threshold, 0.02 nats, shows in "
    )
    assert all(name in run.out for name in ("amount", "country", "score"))


def test_plan_takes_the_rows_that_windows_had(ready):
    for day in ("2024-02-01", "2024-02-02"):
        ready.write_live(date.fromisoformat(day), rows=500)
        ready.run("check", "shop", "--window", day)

    assert ready.run("plan", "shop", "--format", "json").json["rows"] == 500
    assert ready.run("plan", "shop", "--rows", "70", "--format", "json").json["rows"] == 70


def test_a_shift_in_standard_deviations_is_half_its_square_in_nats(ready):
    sd, kl = (
        ready.run("plan", "shop", *more, "--format", "json").json for more in (("--sd", "0.4"), ("--shift", "0.08"))
    )

    assert sd["shift"] == pytest.approx(kl["shift"])
    assert [column["rows_needed"] for column in sd["columns"]] == [column["rows_needed"] for column in kl["columns"]]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["shop", "--shift", "0.1", "--sd", "1"], "--shift and --sd say the same thing; give one of them"),
        (["shop", "--sd", "0"], "Invalid value for '--sd'"),
        (["shopp"], "did you mean 'shop'?"),
    ],
)
def test_what_cannot_be_planned_gets_an_error_that_helps(ready, arguments, message):
    run = ready.run("plan", *arguments)

    assert (run.status, run.out) == (2, "")
    assert message in run.err


def test_without_a_baseline_plan_says_how_to_make_one(project):
    project.run("db", "upgrade")

    run = project.run("plan", "shop")

    assert run.status == 3
    assert "driftmon baseline build shop" in run.err


def test_without_windows_or_times_plan_asks_for_the_rows(project):
    path = project.folder / "monitors" / "shop.yaml"
    path.write_text(path.read_text().replace(", timestamp: time}", "}"))
    project.run("baseline", "build", "shop")

    run = project.run("plan", "shop")

    assert run.status == 2
    assert "check one with: driftmon check shop, or say --rows N" in run.err
    assert project.run("plan", "shop", "--rows", "900").status == 0


def test_validate_does_not_promise_what_plan_denies(ready):
    told = next(line for line in ready.run("validate", "shop").out.splitlines() if line.strip().startswith("shows"))

    assert "are told from chance in a window of 1,000 rows" in told
    assert "what usual windows hide comes on top: driftmon plan shop tells" in told
