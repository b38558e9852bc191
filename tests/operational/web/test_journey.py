"""In a real browser: a draft survives a lost line and a reload, is its author's alone, and goes at sign-out."""

from __future__ import annotations

import re
import shutil
import threading
from collections.abc import Callable, Iterator

import pytest
import uvicorn
from fastapi import FastAPI, Request
from playwright.sync_api import Browser, Page, expect, sync_playwright
from starlette.responses import HTMLResponse, Response

from operational.domains.identity.permissions import SignedIn
from operational.web.assets import static_url
from operational.web.csrf import token_of
from operational.web.flash import Flash
from operational.web.shell import see_other
from tests.operational.web.conftest import PASSWORD

# Missing, Playwright says so: `make test` installs it.
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or "chromium"
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
pytestmark = pytest.mark.journey

FORM = """<!doctype html><html lang="kk"><head><meta charset="utf-8"><title>form</title>
<script type="module" src="{app}"></script></head>
<body data-user="{user}" hx-headers='{{"X-CSRF-Token": "{token}"}}'>
<span data-line-state hidden>down</span>
<form method="post" action="/journey" data-draft="journey" data-draft-subject="1">
<input type="hidden" name="csrf_token" value="{token}">
<textarea name="complaints"></textarea><input type="checkbox" name="flag" value="1"><input name="row"><input name="row">
<button id="send">send</button>
<span data-draft-state data-saved="saved" data-waiting="waiting" data-saving="saving" data-restored="restored"></span>
</form></body></html>"""


def add_form(app: FastAPI) -> None:
    @app.get("/journey")
    def form(request: Request, viewer: SignedIn) -> HTMLResponse:
        page = FORM.format(app=static_url("js/app.js"), user=viewer.user_id, token=token_of(request))
        return HTMLResponse(page)

    @app.post("/journey")
    def send(request: Request, viewer: SignedIn) -> Response:
        return see_other(request, "/account", Flash("identity.password.changed"))


@pytest.fixture
def address(app: FastAPI) -> Iterator[str]:
    """The application on a free port."""
    add_form(app)
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error"))
    socket = server.config.bind_socket()
    thread = threading.Thread(target=server.run, kwargs={"sockets": [socket]})
    thread.start()
    yield f"http://127.0.0.1:{socket.getsockname()[1]}"
    server.should_exit = True
    thread.join()


@pytest.fixture
def browser() -> Iterator[Browser]:
    with sync_playwright() as player:
        browser = player.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


def enter(page: Page, address: str, login: str) -> None:
    page.goto(f"{address}/sign-in")
    page.fill("[name=login]", login)
    page.fill("[name=password]", PASSWORD)
    page.click("[data-submit]")
    page.wait_for_url(f"{address}/")


def listen(page: Page, complaints: list[str]) -> None:
    """Keep everything that the browser complains of."""
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))


def test_draft_survives_a_lost_line_and_a_reload(
    address: str, browser: Browser, make_user: Callable[..., tuple[int, str]]
) -> None:
    _, author = make_user()
    _, other = make_user()
    context = browser.new_context()
    page = context.new_page()
    enter(page, address, author)
    page.goto(f"{address}/journey")
    state = page.locator("[data-draft-state]")

    page.fill("textarea", "бас ауырады")
    page.check("[name=flag]")
    page.locator("[name=row]").nth(1).fill("екінші")
    expect(state).to_have_text("saved")
    page.reload()
    expect(state).to_have_text(re.compile("restored|saved"))
    expect(page.locator("textarea")).to_have_value("бас ауырады")
    expect(page.locator("[name=flag]")).to_be_checked()
    expect(page.locator("[name=row]").nth(1)).to_have_value("екінші")

    context.set_offline(True)
    page.fill("textarea", "бас ауырады, қызу 38")
    expect(state).to_have_text("waiting")
    expect(page.locator("[data-line-state]")).to_be_visible()
    context.set_offline(False)
    expect(state).to_have_text("saved", timeout=15_000)
    assert page.evaluate("Object.keys(localStorage).length") == 0

    context.route("**/drafts/**", lambda route: route.abort())
    page.fill("textarea", "тек осы құрылғыда")
    expect(state).to_have_text("waiting")
    page.reload()
    expect(page.locator("textarea")).to_have_value("тек осы құрылғыда")
    context.unroute("**/drafts/**")

    page.goto(f"{address}/account")
    page.click("details.menu summary")
    page.click("[data-wipe] button")
    page.wait_for_url(f"{address}/sign-in")
    assert page.evaluate("Object.keys(localStorage).length") == 0
    enter(page, address, other)
    page.goto(f"{address}/journey")
    page.wait_for_load_state("networkidle")
    expect(page.locator("textarea")).to_have_value("")


def test_draft_goes_once_the_form_was_sent(
    address: str, browser: Browser, make_user: Callable[..., tuple[int, str]]
) -> None:
    _, login = make_user()
    page = browser.new_context().new_page()
    enter(page, address, login)
    page.goto(f"{address}/journey")
    page.fill("textarea", "бас ауырады")
    expect(page.locator("[data-draft-state]")).to_have_text("saved")
    with page.expect_response(lambda answer: answer.request.method == "DELETE") as dropped:
        page.click("#send")
    assert dropped.value.status == 204
    page.goto(f"{address}/journey")
    page.wait_for_load_state("networkidle")
    expect(page.locator("textarea")).to_have_value("")


def test_pages_make_no_complaint_and_need_no_mouse(
    address: str, browser: Browser, make_user: Callable[..., tuple[int, str]]
) -> None:
    _, login = make_user("administrator")
    for width, height in ((1366, 768), (390, 844)):
        page = browser.new_context(viewport={"width": width, "height": height}).new_page()
        complaints: list[str] = []
        listen(page, complaints)
        enter(page, address, login)
        for path in ("/", "/users", "/users/new", "/account"):
            page.goto(f"{address}{path}")
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (path, width)
        page.goto(f"{address}/users")
        page.keyboard.press("Shift+Slash")
        expect(page.locator("#shortcuts")).to_be_visible()
        page.keyboard.press("Escape")
        page.keyboard.press("Slash")
        page.keyboard.type(login)
        expect(page.locator("#list-users-body tbody tr")).to_have_count(1)
        assert "q=" not in page.url
        page.locator("h1").click()
        page.keyboard.press("g")
        page.keyboard.press("h")
        page.wait_for_url(f"{address}/")
        assert not complaints
