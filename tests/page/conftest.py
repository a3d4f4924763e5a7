"""A test -> a studio of its own and a real Chromium that looks at its page. No test passes whose page has complained: of an
exception, of the content security policy, or of an answer that the test did not announce."""

import os
import pathlib
import re
import tempfile

import pytest
from playwright.sync_api import sync_playwright

from studio import PATIENCE_S, Studio

CHROMIUM = os.environ.get("HOTCUT_CHROMIUM", "/usr/bin/chromium")


@pytest.fixture(scope="session")
def browser():
    with sync_playwright() as playwright:
        # Chromium's own sandbox does not work for root.
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield browser
        browser.close()


@pytest.fixture
def open_studio():
    """Starts studios with other settings of [http]."""
    studios = []

    def open_studio(**http):
        studios.append(Studio(pathlib.Path(tempfile.mkdtemp(prefix="hotcut-page-")), **http))
        return studios[-1].start()

    yield open_studio
    for studio in studios:
        studio.end()


@pytest.fixture
def studio(open_studio):
    return open_studio()


@pytest.fixture
def look(browser):
    """Opens a studio's page: `look(studio, width=…, color_scheme=…)`. `page.expected` takes patterns of failed answers."""
    contexts = []

    def look(studio, width=1280, height=900, **settings):
        context = browser.new_context(viewport={"width": width, "height": height}, **settings)
        context.set_default_timeout(PATIENCE_S * 1000)
        page = context.new_page()
        page.expected, page.complaints = [], []
        page.on("pageerror", lambda error: page.complaints.append(f"exception: {error}"))
        page.on("console", lambda message: note(page, message))
        contexts.append((context, page))
        page.goto(studio.url)
        return page

    yield look
    for context, page in contexts:
        context.close()
        assert page.complaints == []


def note(page, message):
    """Browsers log each answer that is no success, whatever the page makes of it."""
    if message.type not in ("error", "warning"):
        return
    words = f"{message.text} {message.location.get('url')}"
    is_answer = message.text.startswith("Failed to load resource")
    if not (is_answer and any(re.search(pattern, words) for pattern in page.expected)):
        page.complaints.append(words)
