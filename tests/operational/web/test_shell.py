"""The shell: headers, static files, error pages, CSRF, weight of the first load."""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from fastapi import FastAPI, Request
from sqlalchemy.exc import OperationalError
from starlette.responses import Response
from starlette.testclient import TestClient

from operational.kit.errors import BusinessError, FieldErrors, Required
from operational.web import csrf
from operational.web.access import public
from operational.web.assets import OWN, htmx_folder
from operational.web.csrf import make_token, token_matches
from operational.web.problems import ErrorPage
from operational.web.shell import rerender_on_error
from tests.operational.web.conftest import csrf_of, post

FIRST_LOAD_LIMIT = 150_000


def test_first_load_is_light(signed_in: Callable[..., TestClient]) -> None:
    browser = signed_in("administrator")
    page = browser.get("/users")
    addresses = set(re.findall(r'(?:src|href)="(/static/[^"#]+)"', page.text))
    entry = next(address for address in addresses if address.endswith("/app.js"))
    modules = {entry.replace("app.js", module.name) for module in OWN.glob("js/*.js")}
    weights = {"page": len(gzip.compress(page.content, 6))}
    for address in addresses | modules:
        answer = browser.get(address)
        assert answer.status_code == 200, address
        assert "immutable" in answer.headers["cache-control"]
        weights[address] = len(gzip.compress(answer.content, 6))
    assert any("icons.svg" in a for a in addresses) or "icons.svg" in page.text
    assert sum(weights.values()) < FIRST_LOAD_LIMIT, weights


def test_answers_are_compressed_and_guarded(client: TestClient) -> None:
    answer = client.get("/sign-in")
    assert answer.headers["content-encoding"] == "gzip"
    assert "script-src 'self'" in answer.headers["content-security-policy"]
    assert answer.headers["x-frame-options"] == "DENY"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"


def test_no_foreign_host_in_our_files() -> None:
    """No CDN: our templates and modules name no other host (the SVG namespace is a name, not an address)."""
    foreign = re.compile(r"(?:https?:)?//(?!www\.w3\.org/2000/svg)[a-z0-9-]+\.[a-z]{2,}", re.IGNORECASE)
    files = [p for p in Path(OWN.parent).rglob("*") if p.suffix in {".html", ".js", ".css", ".svg"}]
    assert files
    assert not {p.name for p in files if foreign.search(p.read_text(encoding="utf-8"))}


def test_every_icon_used_exists() -> None:
    symbols = set(re.findall(r'<symbol id="([a-z-]+)"', (OWN / "icons.svg").read_text(encoding="utf-8")))
    operational = OWN.parent.parent
    used: set[str] = set()
    for path in [*operational.rglob("*.html"), *operational.rglob("pages*.py")]:
        text = path.read_text(encoding="utf-8")
        used |= set(re.findall(r"""(?:ui\.)?icon\(["']([a-z-]+)["']\)""", text))
        used |= set(re.findall(r"""icon(?:_name)?=["']([a-z-]+)["']""", text))
    assert used
    assert used <= symbols, used - symbols


def test_htmx_comes_from_its_package() -> None:
    assert (htmx_folder() / "htmx.min.js").exists()
    assert not list(OWN.rglob("htmx*"))


def test_csrf_token_is_bound_and_masked() -> None:
    one, other = make_token("session"), make_token("session")
    assert one != other
    assert token_matches("session", one)
    assert token_matches("session", other)
    assert not token_matches("another", one)
    assert not token_matches("session", "00")
    assert not token_matches("session", "not hexadecimal")


def test_unsafe_request_without_token_is_refused(signed_in: Callable[..., TestClient]) -> None:
    browser, other = signed_in(), signed_in()
    assert browser.post("/language", data={"language": "kk"}).status_code == 403
    foreign = csrf_of(other.get("/account").text)
    assert browser.post("/language", data={"language": "kk", "csrf_token": foreign}).status_code == 403
    assert browser.put("/drafts/visit/1", json={"content": {}}).status_code == 403
    own = csrf_of(browser.get("/account").text)
    assert browser.put("/drafts/visit/1", json={"content": {}}, headers={csrf.HEADER: own}).status_code == 204


def test_multipart_form_keeps_its_body(client: TestClient) -> None:
    token = csrf_of(client.get("/sign-in").text)
    data = {"login": "nobody", "password": "nothing", "csrf_token": token}
    answer = client.post("/sign-in", data=data, files={"x": ("x.txt", b"1")})
    assert answer.status_code == 422
    assert 'value="nobody"' in answer.text


class Broken(BusinessError):
    message_key = "error.field.number"
    field = "login"


def add_refusing(app: FastAPI) -> None:
    @app.post("/refuse/{kind}")
    @app.post("/api/refuse/{kind}")
    @public
    def refuse(request: Request, kind: str) -> Response:
        if kind == "page":
            from operational.domains.identity.pages import SignInPage

            rerender_on_error(request, "identity/sign_in.html", SignInPage("typed", "/", {}))
            raise Broken
        if kind == "fields":
            raise FieldErrors([Required("one"), Broken()])
        if kind == "crash":
            raise RuntimeError("a secret 850101400014")
        raise Broken


def test_refusal_stands_at_its_field(app: FastAPI, client: TestClient) -> None:
    add_refusing(app)
    answer = post(client, "/refuse/page", {}, page="/sign-in")
    assert answer.status_code == 422
    assert re.search(r'id="e-login" role="alert">Сан енгізіңіз\.', answer.text)
    assert 'value="typed"' in answer.text
    assert 'aria-describedby="e-login"' in answer.text


def test_program_gets_problem_json(app: FastAPI, client: TestClient) -> None:
    add_refusing(app)
    answer = client.post("/api/refuse/plain", json={})
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json() | {"field": "login", "status": 422} == answer.json()
    assert set(client.post("/api/refuse/fields", json={}).json()["errors"]) == {"one", "login"}


def test_crash_tells_nothing(app: FastAPI, client: TestClient) -> None:
    add_refusing(app)
    answer = post(client, "/refuse/crash", {}, page="/sign-in")
    assert answer.status_code == 500
    assert "850101400014" not in answer.text
    assert "script-src 'self'" in answer.headers["content-security-policy"]
    assert client.post("/api/refuse/crash", json={}).json()["status"] == 500


@pytest.mark.parametrize(
    ("reason", "status"),
    [(OperationalError("select 1", {}, psycopg.OperationalError("no route")), 503),
     (OperationalError("select 1", {}, psycopg.errors.AdminShutdown("x")), 503),
     (OperationalError("select 1", {}, psycopg.errors.QueryCanceled("x")), 500),
     (psycopg.OperationalError("no route"), 503), (psycopg.errors.QueryCanceled("x"), 500)],
)  # fmt: skip
def test_a_store_that_does_not_answer_is_said_to_be_away(
    app: FastAPI, client: TestClient, reason: Exception, status: int
) -> None:
    @app.get("/api/away")
    @app.get("/away")
    def away() -> None:
        raise reason

    page, answer = client.get("/away"), client.get("/api/away")
    assert (page.status_code, answer.status_code, answer.json()["status"]) == (status, status, status)
    assert ("Retry-After" in page.headers) == ("Retry-After" in answer.headers) == (status == 503)
    assert "select 1" not in page.text + answer.text


def test_unknown_page(signed_in: Callable[..., TestClient]) -> None:
    answer = signed_in().get("/nowhere")
    assert answer.status_code == 404
    assert "Страница не найдена" in answer.text
    assert ErrorPage.__doc__


def test_refusal_of_an_htmx_request_is_a_toast(app: FastAPI, client: TestClient) -> None:
    add_refusing(app)
    token = csrf_of(client.get("/sign-in").text)
    answer = client.post("/refuse/plain", headers={"hx-request": "true", csrf.HEADER: token})
    assert answer.headers["hx-reswap"] == "none"
    assert "kmis:toast" in answer.headers["hx-trigger"]
