"""The installed Chromium -> pages that watch themselves: what a page complains of without being expected to fails its test."""

import os
import re
import shutil

import pytest
from hotcut import PATIENCE_S, Hotcut
from playwright.sync_api import expect, sync_playwright

CHROMIUM = shutil.which("chromium")


@pytest.fixture(scope="session")
def browser():
    expect.set_options(timeout=PATIENCE_S * 1000)
    with sync_playwright() as playwright:
        # Chromium's own sandbox refuses to be used by root.
        flags = ["--no-sandbox"] if os.getuid() == 0 else []
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
        yield browser
        browser.close()


@pytest.fixture
def start(tmp_path):
    """Starts a hotcut with these settings; it is stopped with the test."""
    begun = []

    def start(**settings):
        hotcut = Hotcut(tmp_path, **settings)
        begun.append(hotcut)
        return hotcut.start()

    yield start
    for hotcut in begun:
        hotcut.stop()


@pytest.fixture
def visit(browser):
    """Opens the page of a hotcut in a browser of its own."""
    visits = []

    def visit(hotcut, expected=(), **options):
        visit = Visit(browser, expected, **options)
        visits.append(visit)
        visit.page.goto(hotcut.url)
        return visit.page

    yield visit
    complaints = [visit.complaints for visit in visits]
    for visit in visits:
        visit.context.close()
    assert complaints == [[] for _ in visits]


class Visit:
    """A page and its complaints: errors of scripts, and all that the console calls an error or a warning, which is also where a
    violation of the content security policy is told. `expected` are patterns of `address text` that are none."""

    def __init__(self, browser, expected, **options):
        self.complaints = []
        self.context = browser.new_context(**{"viewport": {"width": 1280, "height": 800}, **options})
        self.context.set_default_timeout(PATIENCE_S * 1000)
        self.page = self.context.new_page()
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

        def hear(message):
            told = f"{message.location.get('url', '')} {message.text}"
            if message.type in ("error", "warning") and not any(re.search(pattern, told) for pattern in expected):
                self.complaints.append(told)

        self.page.on("console", hear)


def refused(status, path):
    """A pattern of what the console says of a request that was answered so."""
    return rf"{re.escape(path)}(\?\S*)? Failed to load resource: the server responded with a status of {status}\b"


# What the console says of a request to a server that is away.
UNREACHABLE = r"net::ERR_(CONNECTION_REFUSED|CONNECTION_RESET|INCOMPLETE_CHUNKED_ENCODING|EMPTY_RESPONSE)$"
