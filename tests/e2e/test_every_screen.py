"""Every screen in both languages: it opens, nothing is untranslated, nothing leaves the screen, it has a picture."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import SignedIn
from tests.e2e.installation import Installation
from tests.e2e.screens import Size, texts

pytestmark = pytest.mark.journey

KEY = re.compile(r"\b[a-z_]+(?:\.[a-z_0-9]+)+\b")
# Fixed addresses by role; {patient}, {visit} and the like come from the store of the installation.
SCREENS = {
    "doctor": (
        "/", "/day", "/visits", "/patients", "/patients/{patient}", "/visits/new?patient={patient}",
        "/visits/{open_visit}", "/visits/{signed_visit}", "/visits/{signed_visit}/print", "/book", "/account",
    ),
    "registrar": (
        "/", "/day", "/book", "/schedules", "/patients", "/patients/new", "/patients/new?kind=foreigner",
        "/patients/new?kind=without_papers", "/patients/new?kind=unknown", "/patients/new?kind=newborn",
        "/patients/quality", "/patients/{patient}/edit", "/patients/{patient}/attachment",
    ),
    "chief": (
        "/", "/day", "/boards", "/boards/DASH-01", "/boards/DASH-01?rows=1", "/boards/LIVE-04", "/boards/XLS-01",
        "/boards/XLS-02", "/boards/REP-01", "/boards/REP-02", "/unloads", "/patients/{patient}/merge",
        "/patients/{patient}/merge?other={other}", "/organisations/{organisation}",
        "/organisations/{organisation}/staff",
    ),
    "manager": ("/", "/boards", "/boards/LIVE-04"),
    "engineer": ("/", "/catalogs", "/catalogs/icd10", "/catalogs/service_tariff", "/catalogs/kato"),
    "admin": (
        "/", "/users", "/users/new", "/users/{user}", "/organisations", "/organisations/{organisation}",
        "/sites/{site}", "/staff/{staff}", "/no-such-page",
    ),
}  # fmt: skip
MISSING = ("/no-such-page",)
# Buttons, headings and labels whose text does not fit and is cut off by their box.
CUT = """() => [...document.querySelectorAll('button, .button, th, dt, h1, h2, h3, label, legend, .badge, summary, a')]
  .filter((e) => e.clientWidth > 2 && e.scrollWidth > e.clientWidth + 1 && !e.closest('.sr, .skip')
    && ['hidden', 'clip'].includes(getComputedStyle(e).overflowX))
  .map((e) => e.innerText.trim().slice(0, 60))"""


@dataclass(slots=True)
class Findings:
    """What is wrong, by screen."""

    lines: list[str]

    def look(self, page: Page, address: str, language: str) -> None:
        """Open a screen and note what is wrong with it."""
        answer = page.goto(address)
        where = f"{language} {address}"
        wanted = 404 if address in MISSING else 200
        if answer is None or answer.status != wanted:
            self.lines.append(f"{where}: status {answer and answer.status}")
        if page.locator("html").get_attribute("lang") != language:
            self.lines.append(f"{where}: another language")
        body = page.locator("body")
        keys = sorted({found for found in KEY.findall(body.inner_text()) if found in texts()})
        other = "ru" if language == "kk" else "kk"
        head = page.locator("h1").first.inner_text() if page.locator("h1").count() else ""
        strange = [key for key, both in texts().items() if both[other] == head and both[language] != head]
        if keys or strange:
            self.lines.append(f"{where}: untranslated {', '.join(keys + strange)}")
        self.fits(page, where)

    def fits(self, page: Page, where: str) -> None:
        """Note what leaves the screen or its box at the present size."""
        width = page.viewport_size["width"] if page.viewport_size else 0
        over = page.evaluate("document.scrollingElement.scrollWidth - innerWidth")
        if over > 0:
            self.lines.append(f"{where}: {over} pixels wider than {width}")
        cut = page.evaluate(CUT)
        if cut:
            self.lines.append(f"{where}: at {width} cut {cut}")


def addresses(installation: Installation, login: str) -> Iterator[str]:
    """The screens of a role with the keys of this installation in them."""
    attached = (
        "(select min(p.id) from patient p join attachment a on a.patient_id = p.id join organisation o"
        " on o.id = a.organisation_id where o.kind = 'polyclinic' and a.valid_to is null and p.merged_into_id is null)"
    )
    doctor = "practitioner_id = (select practitioner_id from app_user where login = 'doctor')"
    (keys,) = installation.rows(
        f"select {attached}, (select max(patient_id) from encounter where {doctor}),"
        f" (select max(id) from encounter where {doctor} and signed_at is null and voided_at is null),"
        f" (select max(id) from encounter where {doctor} and signed_at is not null),"
        " (select min(id) from organisation where kind = 'polyclinic'), (select min(id) from app_user),"
        " (select min(id) from site), (select min(practitioner_id) from practitioner_role)"
    )
    names = ("patient", "other", "open_visit", "signed_visit", "organisation", "user", "site", "staff")
    known = dict(zip(names, keys, strict=True))
    assert all(known.values()), f"the demonstration data lacks {[name for name, key in known.items() if not key]}"
    for address in SCREENS[login]:
        yield address.format(**known)


@pytest.mark.parametrize("login", sorted(SCREENS))
def test_every_screen_is_whole_in_both_languages(installation: Installation, signed_in: SignedIn, login: str) -> None:
    page = signed_in(login, "kk")
    findings = Findings([])
    for language in ("kk", "ru"):
        page.goto("/account")
        page.locator(f"button[name=language][value={language}]").click()
        expect(page.locator("html")).to_have_attribute("lang", language)
        for address in addresses(installation, login):
            findings.look(page, address, language)
            name = re.sub(r"[^\w=-]+", "_", address).strip("_") or "home"
            page.screenshot(path=installation.screenshots / f"1366-{language}-{login}-{name}.png", full_page=True)
            page.set_viewport_size(Size.PHONE.viewport)
            findings.fits(page, f"{language} {address}")
            page.screenshot(path=installation.screenshots / f"390-{language}-{login}-{name}.png")
            page.set_viewport_size(Size.DESK.viewport)
    assert not findings.lines, "\n".join(findings.lines)


def test_the_sign_in_speaks_both_languages_and_fits(installation: Installation, signed_in: SignedIn) -> None:
    page = signed_in("doctor", "kk", Size.PHONE)
    page.locator(".menu > summary").click()
    page.locator("form[action='/sign-out'] button").click()
    findings = Findings([])
    for language in ("kk", "ru"):
        page.locator(f"button[name=language][value={language}]").click()
        findings.look(page, "/sign-in", language)
        page.screenshot(path=installation.screenshots / f"390-{language}-sign-in.png")
    assert not findings.lines, "\n".join(findings.lines)
