"""The pages and the report in a real browser: as somebody uses them who was paged."""

import pytest

from driftmon.core.check import Policy
from driftmon.exporter.service import Exporter
from driftmon.report.pages import render_report
from driftmon.report.views import monitor_view
from driftmon.store.migrate import upgrade
from driftmon.store.store import Store
from tests.report.browser import chromium, opened
from tests.report.fleet import facts_of, fill
from tests.store.factories import NOW, baseline_of, day, facts, result_of

HOSTILE = ['"><script>alert(1)</script>', "{{ 7*7 }} ${HOME}", "x" * 300, "\u202elaer", "two\nlines", "🦆 'q'"]


@pytest.fixture(scope="module")
def browser():
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    database = f"sqlite:///{tmp_path_factory.mktemp('browser') / 'driftmon.db'}"
    upgrade(database)
    with Store.open(database) as store:
        fill(store, days=6, rows=600)
        _hostile(store)
        exporter = Exporter(lambda: Store.open(database, read_only=True), listen="127.0.0.1:0")
        assert exporter.refresh()
        exporter.start()
        yield f"http://{exporter.address}"
        exporter.stop()


def _hostile(store):
    reference, live = (
        {name: [float(value) + shift for value in range(400)] for name in HOSTILE} for shift in (0.0, 150.0)
    )
    baseline = baseline_of(reference)
    said = facts("hostile", model=HOSTILE[0], owner=HOSTILE[1], description=HOSTILE[3], timezone="UTC")
    store.register_monitor(said, now=NOW)
    store.save_baseline("hostile", baseline, now=NOW)
    store.promote("hostile", baseline.id, now=NOW)
    result = result_of(baseline, live, day(1), monitor="hostile", policy=Policy(min_rows=50))
    store.save_check(result, said, started_at=NOW, now=NOW)


def names(page):
    return [cell.get_attribute("data-v") for cell in page.locator("#monitors tbody tr:visible th").all()]


def test_from_the_overview_to_a_column_and_its_runbook(browser, url):
    with opened(browser) as watched:
        page = watched.page
        page.goto(f"{url}/")
        assert " of 8 monitors drifted: " in page.inner_text("h1")

        page.get_by_role("button", name="monitor").click()
        assert names(page) == sorted(names(page))
        page.get_by_role("button", name="monitor").click()
        assert names(page) == sorted(names(page), reverse=True)
        assert page.locator("th[aria-sort=descending]").inner_text().startswith("monitor")

        page.locator(".filter input").fill("churn")
        assert names(page) == ["churn"]
        page.get_by_role("link", name="churn", exact=True).click()
        assert "churn" in page.inner_text("h1")
        page.get_by_role("link", name="support_calls").first.click()
        assert "support_calls" in page.inner_text("h1")
        assert "what to do" in page.inner_text("main").lower()

        page.goto(f"{url}/runbooks/DriftmonColumnDrift")
        assert "DriftmonColumnDrift" in page.inner_text("h1")
        assert watched.complaints == []
        assert all(address.startswith(url) for address in watched.asked)


@pytest.mark.parametrize("path", ["/", "/monitors/churn", "/monitors/churn/column?name=tenure", "/runbooks/"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_fit_a_phone(browser, url, path, scheme):
    with opened(browser, viewport={"width": 360, "height": 740}, color_scheme=scheme) as watched:
        watched.page.goto(url + path)

        assert watched.overflow() == 0
        assert watched.complaints == []


@pytest.mark.parametrize("width", [360, 1200])
def test_the_commands_of_a_runbook_can_be_read_to_their_end(browser, url, width):
    with opened(browser, viewport={"width": width, "height": 740}) as watched:
        watched.page.goto(f"{url}/runbooks/DriftmonColumnDrift?monitor=churn&column=support_calls")
        commands = watched.page.locator("pre").all()

        assert "monitor=churn column=support_calls" in commands[1].inner_text()
        assert all(command.evaluate("it => it.scrollWidth <= it.clientWidth") for command in commands)
        assert watched.overflow() == 0


@pytest.mark.parametrize("width", [360, 1200])
def test_names_do_nothing_but_stand_there(browser, url, width):
    with opened(browser, viewport={"width": width, "height": 800}) as watched:
        for path in ("/", "/monitors/hostile"):
            watched.page.goto(url + path)
            assert watched.overflow() == 0
        link = watched.page.locator("table.sorts tbody a").first
        link.click()

        assert watched.page.locator("h1").count() == 1
        assert watched.overflow() == 0
        assert watched.complaints == []


@pytest.mark.parametrize("script", [True, False])
def test_a_report_is_whole_without_a_server_a_network_or_a_script(browser, tmp_path, script):
    database = f"sqlite:///{tmp_path / 'driftmon.db'}"
    upgrade(database)
    with Store.open(database) as store:
        fill(store, days=4, rows=600, names=("churn",))
        html = render_report(monitor_view(store, facts_of("churn"), details=True), "1")
    file = tmp_path / "report.html"
    file.write_text(html, encoding="utf-8")
    with opened(browser, java_script_enabled=script, viewport={"width": 1000, "height": 800}) as watched:
        page = watched.page
        page.goto(file.as_uri())
        rows = page.locator("table.sorts tbody tr:visible")

        assert rows.count() == 7
        assert page.locator(".filter").is_visible() == script
        assert watched.complaints == []
        assert watched.asked == [file.as_uri()]
        if script:
            page.locator(".filter input").fill("tenure")
            assert rows.count() == 1
            assert page.pdf(format="A4").startswith(b"%PDF")
