"""The pictures of the pages in docs/images, taken of made-up monitors: ``python scripts/screenshots.py`` (needs Chromium)."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(PROJECT))  # the monitors are those of the tests

from driftmon.exporter.service import Exporter  # noqa: E402 - after the path is set
from driftmon.settings import Links  # noqa: E402
from driftmon.store.migrate import upgrade  # noqa: E402
from driftmon.store.store import Store  # noqa: E402
from tests.report.browser import chromium, opened  # noqa: E402
from tests.report.fleet import fill  # noqa: E402

PICTURES = {
    "status": ("/", 1200, 1000),
    "phone": ("/", 390, 844),
    "column": ("/monitors/churn/column?name=tenure", 1200, 1300),
}


def main() -> None:
    """Fill a database, serve it, take the pictures."""
    with tempfile.TemporaryDirectory() as folder, chromium() as browser:
        database = f"sqlite:///{folder}/driftmon.db"
        upgrade(database)
        with Store.open(database) as store:
            fill(store, days=30)
        exporter = Exporter(
            lambda: Store.open(database, read_only=True),
            listen="127.0.0.1:0",
            links=Links("http://127.0.0.1:3000", "http://127.0.0.1:9877"),
        )
        exporter.refresh()
        exporter.start()
        for name, (path, width, height) in PICTURES.items():
            with opened(browser, viewport={"width": width, "height": height}) as watched:
                watched.page.goto(f"http://{exporter.address}{path}")
                target = PROJECT / "docs" / "images" / f"{name}.png"
                watched.page.screenshot(path=str(target))
                print(f"{target.relative_to(PROJECT)}: {target.stat().st_size:,} bytes")
        exporter.stop()


if __name__ == "__main__":
    main()
