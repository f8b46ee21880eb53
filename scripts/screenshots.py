"""The pictures of the pages and the report in docs/images, of made-up monitors: ``python scripts/screenshots.py`` (needs Chromium)."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

PROJECT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(PROJECT))  # the monitors are those of the tests

import driftmon  # noqa: E402 - after the path is set
from driftmon.exporter.service import Exporter  # noqa: E402
from driftmon.report.pages import render_report  # noqa: E402
from driftmon.report.views import monitor_view  # noqa: E402
from driftmon.settings import Links  # noqa: E402
from driftmon.store.migrate import upgrade  # noqa: E402
from driftmon.store.store import Store  # noqa: E402
from tests.report.browser import chromium, opened  # noqa: E402
from tests.report.fleet import facts_of, fill  # noqa: E402

if TYPE_CHECKING:
    from playwright.sync_api import Browser

PICTURES = {
    "status": ("/", 1200, 830),
    "phone": ("/", 390, 844),
    "column": ("/monitors/churn/column?name=tenure", 1080, 690),
}


def main() -> None:
    """Fill a database, serve it, write a report, take the pictures."""
    with tempfile.TemporaryDirectory() as folder, chromium() as browser:
        database = f"sqlite:///{folder}/driftmon.db"
        upgrade(database)
        with Store.open(database) as store:
            fill(store, days=30)
            view = monitor_view(store, facts_of("pricing"), details=True)
        report = Path(folder) / "report.html"
        report.write_text(render_report(view, driftmon.__version__), encoding="utf-8")
        exporter = Exporter(
            lambda: Store.open(database, read_only=True),
            listen="127.0.0.1:0",
            links=Links("http://127.0.0.1:3000", "http://127.0.0.1:9877"),
        )
        exporter.refresh()
        exporter.start()
        for name, (path, width, height) in PICTURES.items():
            take(browser, name, f"http://{exporter.address}{path}", width, height)
        take(browser, "report", report.as_uri(), 1000, 760)
        exporter.stop()


def take(browser: Browser, name: str, url: str, width: int, height: int) -> None:
    """One picture of what a window of this size shows."""
    with opened(browser, viewport={"width": width, "height": height}) as watched:
        watched.page.goto(url)
        target = PROJECT / "docs" / "images" / f"{name}.png"
        watched.page.screenshot(path=str(target))
        print(f"{target.relative_to(PROJECT)}: {target.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
