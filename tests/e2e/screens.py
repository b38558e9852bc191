"""What the journeys do on every screen: sign in, choose in a picker, fill a date."""

from __future__ import annotations

from enum import Enum
from functools import cache
from pathlib import Path

import yaml
from playwright.sync_api import Locator, Page, ViewportSize, expect

from operational.demo import LOGINS as DEMO_LOGINS

ROOT = Path(__file__).resolve().parents[2]
LOGINS = {user.login: user.password for user in DEMO_LOGINS}


class Size(Enum):
    """The two screens that the system is made for: the clinic's monitor and a telephone."""

    DESK = (1366, 768)
    PHONE = (390, 844)

    @property
    def viewport(self) -> ViewportSize:
        width, height = self.value
        return {"width": width, "height": height}


@cache
def texts() -> dict[str, dict[str, str]]:
    """Every text of the screens by its key."""
    found: dict[str, dict[str, str]] = {}
    for file in sorted((ROOT / "operational").rglob("texts.yml")):
        found |= yaml.safe_load(file.read_text(encoding="utf-8"))
    return found


def text(key: str, language: str, **params: object) -> str:
    """A text as the screens show it."""
    return texts()[key][language].format(**params)


def sign_in(page: Page, login: str, password: str, language: str) -> None:
    """Sign in by the form, in the language chosen on it."""
    page.goto("/sign-in")
    page.locator(f"button[name=language][value={language}]").click()
    expect(page.locator("html")).to_have_attribute("lang", language)
    page.locator("#f-login").fill(login)
    page.locator("#f-password").fill(password)
    page.locator("form.signin-form [data-submit]").click()
    expect(page.locator(".avatar")).to_be_visible()
    expect(page.locator("html")).to_have_attribute("lang", language)


def pick(scope: Page | Locator, name: str, typed: str, value: str) -> None:
    """Type into a picker and take the offered entry with that value."""
    picker = scope.locator(f"[data-picker]:has(input[name={name}])")
    picker.locator("[data-picker-text]").press_sequentially(typed, delay=15)
    picker.locator(f'.option[data-value="{value}"]').click()
    expect(picker.locator("[data-picker-value]")).to_have_value(value)


def error_of(page: Page, field: str) -> Locator:
    """The message that stands at a field."""
    return page.locator(f".field-bad:has([name={field}]) .field-error")


def toast(page: Page) -> Locator:
    """The newest message about what was done."""
    return page.locator("[data-toast]").last
