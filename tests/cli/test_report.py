"""``driftmon report``: what it writes, and what it says where it cannot."""

import re

import pytest


def problem(run):
    """The one line that a command of bad usage says."""
    assert (run.status, run.out) == (2, "")
    [line] = run.err.strip().splitlines()
    assert line.startswith("driftmon: ")
    return line


def test_a_report_is_written_whole_and_told_in_a_line(ready):
    ready.run("check", "shop", "--window", "2024-02-03")

    run = ready.run("report", "shop", "-o", "shop.html")

    assert (run.status, run.out) == (0, "")
    assert run.err.splitlines()[0].startswith("shop, 2024-02-03: 1 of 3 columns drifted: amount (critical)")
    size = (ready.folder / "shop.html").stat().st_size
    assert run.err.splitlines()[-1] == f"written to shop.html ({size:,} bytes)"
    written = (ready.folder / "shop.html").read_text(encoding="utf-8")
    minutes = re.compile(r"[Ww]ritten \d{4}-\d\d-\d\d \d\d:\d\d UTC")
    assert len(minutes.findall(written)) == 2
    assert minutes.sub("", ready.run("report", "shop", "-o", "-").out) == minutes.sub("", written)


def test_a_report_of_a_monitor_that_nobody_checks_any_more_says_so_first(ready):
    ready.run("check", "shop", "--window", "2024-02-02")
    (ready.folder / "data" / "live" / "2024-02-03.parquet").write_bytes(b"PAR1 no longer")
    assert ready.run("check", "shop", "--window", "2024-02-03").status == 3

    run = ready.run("report", "shop", "-o", "shop.html")

    written = (ready.folder / "shop.html").read_text(encoding="utf-8")
    [answer] = re.findall(r"<h1 class=\"answer (\w+)\">(.*?)</h1>", written)
    assert answer[0] == "warning"
    assert "stale since 2024-02-0" in answer[1].split("<small")[0]
    assert "the newest run failed" in answer[1].split("<small")[0]
    assert "no drift" in answer[1].split("<small")[1]
    assert "2024-02-03.parquet" in written
    assert "Nothing was checked since: the newest window ended" in run.err


def test_a_report_leads_to_the_pages_of_its_window_where_somebody_said_where_they_are(ready, monkeypatch):
    ready.run("check", "shop", "--window", "2024-02-03")
    monkeypatch.setenv("DRIFTMON_URL", "https://drift.example/")
    monkeypatch.setenv("DRIFTMON_GRAFANA_URL", "https://grafana.example")

    ready.run("report", "shop", "-o", "shop.html")

    written = (ready.folder / "shop.html").read_text(encoding="utf-8")
    assert 'href="https://drift.example/monitors/shop?window=2024-02-03T00%3A00%3A00Z"' in written
    assert 'href="https://drift.example/runbooks/DriftmonColumnDrift?monitor=shop&amp;column=amount"' in written
    assert 'href="https://grafana.example/d/driftmon-monitor?var-monitor=shop&amp;from=' in written


def test_an_unknown_monitor_is_told_with_the_nearest_name(ready):
    assert "no monitor named 'shp'; did you mean 'shop'?" in problem(ready.run("report", "shp", "-o", "x.html"))
    assert not (ready.folder / "x.html").exists()


def test_a_monitor_without_a_baseline_or_a_check_is_told_how_to_get_one(project):
    project.run("db", "upgrade")
    without_baseline = problem(project.run("report", "shop", "-o", "x.html"))
    project.run("baseline", "build", "shop")
    without_check = problem(project.run("report", "shop", "-o", "x.html"))

    assert "no results of shop yet; make one with: driftmon check shop" in without_baseline
    assert "no results of shop yet; make one with: driftmon check shop" in without_check


def test_without_a_results_database_the_command_that_makes_one_is_told(project):
    run = project.run("report", "shop", "-o", "x.html")

    assert run.status != 0
    assert len(run.err.strip().splitlines()) == 1
    assert "driftmon db upgrade" in run.err


@pytest.mark.parametrize(
    ("window", "said"),
    [
        ("2024-02-04", "no result of shop for window 2024-02-04"),
        ("yesterday-ish", "yesterday-ish"),
    ],
)
def test_a_window_without_a_check_or_that_is_none_is_told(ready, window, said):
    ready.run("check", "shop", "--window", "2024-02-03")

    line = problem(ready.run("report", "shop", "--window", window, "-o", "x.html"))

    assert said in line
    if window == "2024-02-04":
        assert "make it with: driftmon check shop --window 2024-02-04" in line
    assert not (ready.folder / "x.html").exists()


@pytest.mark.parametrize(
    "target", ["nowhere/at/all.html", "monitors", "monitors/shop.yaml/x.html", "x" * 300 + ".html"]
)
def test_a_place_that_cannot_be_written_is_told_and_nothing_is_left_behind(ready, target):
    ready.run("check", "shop", "--window", "2024-02-03")
    before = sorted(path for path in ready.folder.rglob("*") if ".driftmon" not in path.parts)

    line = problem(ready.run("report", "shop", "-o", target))

    assert f"cannot write {target!r}: " in line
    assert "name another place with -o" in line
    assert sorted(path for path in ready.folder.rglob("*") if ".driftmon" not in path.parts) == before


def test_a_report_that_is_there_is_replaced_and_stays_where_the_new_one_fails(ready):
    (ready.folder / "shop.html").write_text("the old one")

    assert ready.run("report", "shop", "-o", "shop.html").status == 2
    assert (ready.folder / "shop.html").read_text() == "the old one"
    ready.run("check", "shop", "--window", "2024-02-03")
    assert ready.run("report", "shop", "-o", "shop.html").status == 0
    assert (ready.folder / "shop.html").read_text().startswith("<!doctype html>")
