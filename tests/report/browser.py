"""Chromium, driven by a test: what a page does, and whatever it complains of."""

import shutil
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest

FLAGS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]


@dataclass
class Watched:
    """A page with all that went wrong on it, and every address that was asked for."""

    page: object
    complaints: list = field(default_factory=list)
    asked: list = field(default_factory=list)

    def overflow(self):
        """Pixels by which the page is wider than the window."""
        return self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")


@contextmanager
def chromium():
    """A browser within the block; skips the test where it is not installed."""
    binary = shutil.which("chromium")
    if binary is None:
        pytest.skip("Chromium is not installed: apt-get install chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=binary, args=FLAGS)
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def opened(browser, **options):
    """A new page, watched."""
    context = browser.new_context(**options)
    page = context.new_page()
    watched = Watched(page)
    page.on("console", lambda message: watched.complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: watched.complaints.append(str(error)))
    page.on("dialog", lambda dialog: (watched.complaints.append(f"dialog: {dialog.message}"), dialog.dismiss()))
    page.on("request", lambda request: watched.asked.append(request.url))
    try:
        yield watched
    finally:
        context.close()
