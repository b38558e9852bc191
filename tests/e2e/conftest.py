"""The stage of the browser tests: one running installation and one Chromium for the whole run."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.e2e.installation import Installation, new_installation
from tests.e2e.screens import LOGINS, Size, sign_in

# A browser of a test speaks to this machine only: everything that would call its maker is off.
ARGUMENTS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
ACTION_TIMEOUT_MS = 15_000

SignedIn = Callable[..., Page]


@pytest.fixture(scope="session")
def chromium() -> str:
    """Chromium of the machine. Missing, it fails the run: a journey that nobody saw is no proof."""
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        pytest.fail("Chromium is missing; `make test` installs it, or: sudo apt-get install chromium", pytrace=False)
    return program


@pytest.fixture(scope="session")
def installation(chromium: str) -> Iterator[Installation]:
    """`kmis demo` with 600 people and one year, running; stopped and removed at the end."""
    with tempfile.TemporaryDirectory(prefix="kmis-e2e-") as folder:
        Path(folder).chmod(0o755)  # the embedded server has a user of its own
        own = new_installation(Path(folder))
        try:
            own.kmis("demo", "--population", "600", "--years", "1")
            yield own
        finally:
            own.kmis("down")


@pytest.fixture(scope="session")
def browser(chromium: str) -> Iterator[Browser]:
    """One browser for the run; each page of `signed_in` has a profile of its own."""
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium, args=list(ARGUMENTS))
        yield started
        started.close()


@pytest.fixture
def signed_in(installation: Installation, browser: Browser) -> Iterator[SignedIn]:
    """`signed_in("doctor", "kk")` is a page of a browser of its own in which that user has just signed in."""
    contexts = []

    def open_for(login: str, language: str, size: Size = Size.DESK) -> Page:
        context = browser.new_context(
            base_url=installation.screens, viewport=size.viewport, accept_downloads=True, timezone_id="Asia/Oral"
        )
        contexts.append(context)
        context.set_default_timeout(ACTION_TIMEOUT_MS)
        page = context.new_page()
        sign_in(page, login, LOGINS[login], language)
        return page

    yield open_for
    for context in contexts:
        context.close()
