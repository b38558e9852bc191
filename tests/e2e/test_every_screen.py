"""Every screen: it opens, nothing is untranslated, nothing leaves the screen, it has a picture.

The short run sees them in Kazakh, the long one in Russian too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Page

from tests.e2e.conftest import SignedIn
from tests.e2e.installation import Installation
from tests.e2e.screens import Size, texts

pytestmark = pytest.mark.journey

KEY = re.compile(r"\b[a-z_]+(?:\.[a-z_0-9]+)+\b")
NEW_PRODUCTS = (
    "DASH-07", "DASH-08", "LIVE-01", "LIVE-05", "MAT-05", "MAT-10", "MAT-11", "SIG-01", "SIG-02", "SIG-03", "SIG-04",
    "SIG-05", "SIG-06", "XLS-19", "XLS-22", "REP-19",
)  # fmt: skip
# Fixed addresses by role; {patient}, {visit} and the like come from the store of the installation.
SCREENS = {
    "doctor": (
        "/", "/day", "/visits", "/patients", "/patients/{patient}", "/visits/new?patient={patient}",
        "/visits/{open_visit}", "/visits/{signed_visit}", "/visits/{signed_visit}/print", "/book", "/account",
        "/home-calls", "/home-calls/sheet", "/home-calls/new", "/home-calls/{call}", "/signals", "/signals/{signal}",
        "/deaths", "/deaths/new?patient={patient}", "/deaths/{death}",
        "/orders/new?patient={patient}&category=imaging",
    ),
    "ward": (
        "/", "/admission", "/admission/journal", "/admission/new", "/admission/new?unknown=1",
        "/admission/{presentation}", "/admission/{presentation}/print", "/wards", "/stays/{stay}",
        "/stays/{stay}/sheet", "/stays/{stay}/discharge", "/stays/{stay}/diagnose", "/stays/{stay}/move",
        "/stays/{stay}/operation", "/stays/{stay}/transfusion", "/stays/{discharged}/epicrisis",
        "/patients/{inpatient}", "/patients/{man}", "/deaths/new?patient={inpatient}",
        "/orders/new?patient={inpatient}", "/births/new?patient={mother}", "/births/{birth}",
    ),
    "obstetrician": (
        "/", "/pregnancies", "/pregnancies/new", "/pregnancies/new?patient={woman}", "/pregnancies/{pregnancy}",
        "/pregnancies/{pregnancy}/edit", "/pregnancies/{pregnancy}/print", "/births/{birth}", "/signals",
        "/patients/{mother}", "/patients/{man}",
    ),
    "nurse": ("/", "/home-calls", "/home-calls/sheet", "/home-calls/{call}", "/signals", "/signals?part=queue"),
    "lab": (
        "/", "/orders", "/orders/{lab_order}", "/orders/{lab_order}/sheet", "/results/{report}",
        "/results/{report}/print", "/inbox", "/inbox/messages", "/inbox/quarantine", "/inbox/done",
    ),
    "xray": ("/", "/orders", "/orders/{image_order}", "/images/{study}", "/inbox"),
    "officer": ("/", "/signals", "/signals/{critical}", "/boards/LIVE-01", "/boards/MAT-05", "/pregnancies"),
    "registrar": (
        "/", "/day", "/book", "/schedules", "/patients", "/patients/new", "/patients/new?kind=foreigner",
        "/patients/new?kind=without_papers", "/patients/new?kind=unknown", "/patients/new?kind=newborn",
        "/patients/quality", "/patients/{patient}/edit", "/patients/{patient}/attachment",
    ),
    "chief": (
        "/", "/day", "/boards", "/boards/DASH-01", "/boards/DASH-01?rows=1", "/boards/LIVE-04", "/boards/XLS-01",
        "/boards/XLS-02", "/boards/REP-01", "/boards/REP-02", "/unloads", "/patients/{patient}/merge",
        "/patients/{patient}/merge?other={other}", "/organisations/{organisation}",
        "/organisations/{organisation}/staff", *(f"/boards/{product}" for product in NEW_PRODUCTS),
        "/boards/MAT-05?rows=1", "/boards/XLS-22?rows=1", "/signals", "/deaths", "/inbox",
    ),
    "manager": ("/", "/boards", "/boards/LIVE-04"),
    "engineer": (
        "/", "/catalogs", "/catalogs/icd10", "/catalogs/service_tariff", "/catalogs/kato", "/status", "/status/passes",
        "/status/outbox",
    ),
    "admin": (
        "/", "/users", "/users/new", "/users/{user}", "/organisations", "/organisations/{organisation}",
        "/sites/{site}", "/staff/{staff}", "/devices", "/devices/new", "/devices/{device}", "/status", "/no-such-page",
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


# Whom and what the addresses are about, each one key of the store.
ATTACHED = (
    "from patient p join attachment a on a.patient_id = p.id and a.valid_to is null join organisation o"
    " on o.id = a.organisation_id and o.kind = 'polyclinic' where p.merged_into_id is null and p.death_date is null"
)
OF_DOCTOR = "practitioner_id = (select practitioner_id from app_user where login = 'doctor')"
HOSPITAL = (
    "(select r.organisation_id from practitioner_role r join app_user u on u.practitioner_id = r.practitioner_id"
    " where u.login = 'ward' limit 1)"
)
LED = (
    "from pregnancy g join pregnancy_care c on c.pregnancy_id = g.id and c.valid_to is null join organisation o"
    " on o.id = c.owner_organisation_id and o.kind = 'polyclinic' where g.voided_at is null and g.ended_on is null"
)
KEYS = {
    "patient": f"select min(p.id) {ATTACHED}",
    "man": f"select min(p.id) {ATTACHED} and p.sex = 'M'",
    "woman": f"select min(p.id) {ATTACHED} and p.sex = 'F' and p.birth_date between '1985-01-01' and '2004-01-01'"
    " and not exists (select from pregnancy g where g.patient_id = p.id and g.ended_on is null)",
    "other": f"select max(patient_id) from encounter where {OF_DOCTOR}",
    "open_visit": f"select max(id) from encounter where {OF_DOCTOR} and signed_at is null and voided_at is null",
    "signed_visit": f"select max(id) from encounter where {OF_DOCTOR} and signed_at is not null",
    "organisation": "select min(id) from organisation where kind = 'polyclinic'",
    "user": "select min(id) from app_user",
    "site": "select min(id) from site",
    "staff": "select min(practitioner_id) from practitioner_role",
    "presentation": f"select max(id) from hospital_presentation where owner_organisation_id = {HOSPITAL}",
    "stay": f"select s.id from hospital_stay s where s.owner_organisation_id = {HOSPITAL} and discharged_at is null"
    " and voided_at is null order by (select count(*) from vital_sign v where v.stay_id = s.id) desc, s.id limit 1",
    "inpatient": f"select min(patient_id) from hospital_stay where owner_organisation_id = {HOSPITAL}"
    " and discharged_at is null and voided_at is null",
    "discharged": f"select max(id) from hospital_stay where owner_organisation_id = {HOSPITAL}"
    " and discharged_at is not null and voided_at is null",
    "pregnancy": f"select g.id {LED} order by (select count(*) from pregnancy_visit v where v.pregnancy_id = g.id)"
    " desc, g.id limit 1",
    "mother": f"select max(g.patient_id) {LED}",
    "birth": "select min(id) from birth where voided_at is null",
    "call": "select max(h.id) from home_call h join organisation o on o.id = h.owner_organisation_id"
    " where o.kind = 'polyclinic' and h.voided_at is null",
    "signal": f"select max(id) from signal_case where {OF_DOCTOR}",
    "critical": "select max(id) from signal_case where severity = 'critical'",
    "death": "select max(id) from death where voided_at is null",
    "lab_order": f"select max(id) from diagnostic_order where category = 'laboratory' and owner_organisation_id"
    f" = {HOSPITAL}",
    "report": f"select max(id) from diagnostic_report where category = 'laboratory' and voided_at is null"
    f" and owner_organisation_id = {HOSPITAL}",
    "image_order": f"select max(id) from diagnostic_order where category = 'imaging' and owner_organisation_id"
    f" = {HOSPITAL}",
    "study": "select max(s.id) from imaging_study s where modality = 'CT' and patient_id is not null"
    " and exists (select from imaging_instance i where i.study_uid = s.study_uid)",
    "device": "select min(id) from device",
}


def addresses(installation: Installation, login: str) -> Iterator[str]:
    """The screens of a role with the keys of this installation in them."""
    (keys,) = installation.rows("select " + ", ".join(f"({query})" for query in KEYS.values()))
    known = dict(zip(KEYS, keys, strict=True))
    for address in SCREENS[login]:
        lacking = [name for name, key in known.items() if not key and f"{{{name}}}" in address]
        assert not lacking, f"the demonstration data lacks {lacking}"
        yield address.format(**known)


def begin_visit(installation: Installation, page: Page) -> None:
    """A visit of the doctor that is not signed: the demonstration has one by day, and none at night."""
    ((patient,),) = installation.rows(KEYS["patient"])
    page.goto(f"/visits/new?patient={patient}")
    page.locator("main form [data-submit]").last.click()
    page.wait_for_url(re.compile(r"/visits/\d+$"))


@pytest.mark.parametrize("language", ["kk", pytest.param("ru", marks=pytest.mark.long)])
@pytest.mark.parametrize("login", sorted(SCREENS))
def test_every_screen_is_whole(installation: Installation, signed_in: SignedIn, login: str, language: str) -> None:
    page = signed_in(login, language)
    if login == "doctor":
        begin_visit(installation, page)
    findings = Findings([])
    for address in addresses(installation, login):
        findings.look(page, address, language)
        name = re.sub(r"[^\w=-]+", "_", address).strip("_") or "home"
        page.screenshot(path=installation.screenshots / f"1366-{language}-{login}-{name}.png", full_page=True)
        page.set_viewport_size(Size.PHONE.viewport)
        findings.fits(page, f"{language} {address}")
        page.screenshot(path=installation.screenshots / f"390-{language}-{login}-{name}.png", animations="disabled")
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
