"""Drafts are kept for their author, and for nobody else."""

from __future__ import annotations

from collections.abc import Callable

from starlette.testclient import TestClient

from operational.web.csrf import HEADER
from tests.operational.web.conftest import csrf_of


def headers(browser: TestClient) -> dict[str, str]:
    return {HEADER: csrf_of(browser.get("/account").text)}


def test_kept_read_and_dropped(signed_in: Callable[..., TestClient]) -> None:
    browser, other = signed_in(), signed_in()
    token = headers(browser)
    address = "/drafts/visit/17"
    assert browser.get(address).status_code == 204
    for text in ("бас ауыр", "бас ауырады"):
        kept = browser.put(address, json={"content": {"complaints": [text], "csrf_token": ["x"]}}, headers=token)
        assert kept.status_code == 204
    assert browser.get(address).json()["content"] == {"complaints": ["бас ауырады"]}
    assert other.get(address).status_code == 204
    assert other.delete(address, headers=headers(other)).status_code == 204
    assert browser.get(address).status_code == 200
    assert browser.delete(address, headers=token).status_code == 204
    assert browser.get(address).status_code == 204


def test_refusals(signed_in: Callable[..., TestClient], client: TestClient) -> None:
    browser = signed_in()
    token = headers(browser)
    long = {"content": {"text": ["а" * 200_001]}}
    assert browser.put("/drafts/visit/1", json=long, headers=token).status_code == 413
    assert browser.put("/drafts/visit/a b", json={"content": {}}, headers=token).status_code == 422
    assert client.get("/drafts/visit/1", follow_redirects=False).status_code == 303
