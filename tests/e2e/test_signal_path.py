"""The path of a signal sheet in a real browser: from the event that opens it to the deed that closes it."""

from __future__ import annotations

import io
import re
import time

import pytest
from playwright.sync_api import Page, expect
from pypdf import PdfReader

from tests.e2e import hospital
from tests.e2e.conftest import SignedIn
from tests.e2e.hospital import Person, ago, department, send, site_adult
from tests.e2e.installation import Installation
from tests.e2e.screens import error_of, pick, text
from tests.e2e.test_hospital_path import LANGUAGES, take_picture

pytestmark = pytest.mark.journey
CLOSED_WITHIN_S = 60
DAY = 24 * 60


def case_of(installation: Installation, person: Person, rule: str) -> int:
    """Key of the newest case of the person by that rule."""
    found = installation.rows(
        "select id from signal_case where patient_id = %s and rule_code = %s order by id desc limit 1", person.key, rule
    )
    return int(found[0][0])


def open_case(page: Page, case: int, person: Person) -> None:
    """From the list of signal sheets, found by the IIN."""
    page.goto("/signals")
    page.locator("#q-signals").fill(person.iin)
    page.locator(f'#list-signals-body a[href="/signals/{case}"]').click()
    page.wait_for_url(re.compile(rf"/signals/{case}$"))


def act(page: Page, name: str, note: str | None, language: str) -> None:
    """Open the form of an act, write and send it."""
    form = page.locator(f"#act-{name}")
    form.locator("summary").click()
    if note is not None:
        form.locator("textarea[name=note]").fill(note)
    form.locator("button").click()
    expect(page.locator("#history")).to_contain_text(text(f"signals.event.{name}", language))


def wait_until_closed(installation: Installation, page: Page, case: int, language: str) -> None:
    """Look at the case again and again: the worker closes it through the outbox."""
    closed = page.locator("main .badge-ok", has_text=text("signals.state.closed", language))
    limit = time.monotonic() + CLOSED_WITHIN_S
    page.goto(f"/signals/{case}")
    while closed.count() == 0 and time.monotonic() < limit:
        page.reload()
    owed = installation.rows("select topic, status, attempts, payload from outbox_message order by id desc limit 5")
    assert closed.count() == 1, owed


@pytest.mark.requirement("SIG-01")
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_discharge_after_a_heart_attack_opens_a_sheet_that_the_home_call_closes(
    installation: Installation, signed_in: SignedIn, language: str
) -> None:
    person = site_adult(installation)
    ward = signed_in("ward", language)
    hospital.present(ward, person, 45)
    stay = hospital.admit(ward, department(installation, "therapeutic"), "therapeutic", 40, bed=str(person.key))
    hospital.discharge(ward, stay, "I21.0", language)
    case = case_of(installation, person, "SIG-01")

    page = signed_in("doctor", language)
    page.goto("/")
    expect(page.locator("#signals")).to_be_visible()
    take_picture(page, installation, "signal-1-home", language)
    open_case(page, case, person)
    main = page.locator("main")
    expect(main).to_contain_text("Ацетилсалицил қышқылы 75 мг")
    expect(main).to_contain_text(text("signals.due", language))
    take_picture(page, installation, "signal-2-case", language)

    sheet = page.locator(f'a[href="/signals/{case}/sheet"]')
    expect(sheet).to_be_visible()
    answer = page.request.get(f"/signals/{case}/sheet")
    pages = PdfReader(io.BytesIO(answer.body())).pages
    assert len(pages) == 1
    assert person.iin in pages[0].extract_text()

    act(page, "contacted", "Телефонмен сөйлестік, жағдайы тұрақты", language)
    act(page, "active", "Шыққаннан кейінгі қарау", language)
    page.goto("/home-calls")
    page.locator("#q-home-calls, #q-home_calls").fill(person.iin)
    # Not by the surname: another person of that name may have a call today.
    (call,) = installation.rows("select max(id) from home_call where patient_id = %s", person.key)
    page.locator(f'tbody tr a[href="/home-calls/{call[0]}"]').first.click()
    page.wait_for_url(re.compile(r"/home-calls/\d+$"))
    take_picture(page, installation, "signal-3-active", language)
    page.locator("#perform textarea[name=result_note]").fill("Үйінде қаралды, қан қысымы 125/80")
    page.locator("#perform [data-submit]").click()
    expect(page.locator("main .badge-ok", has_text=text("home_visits.state.done", language))).to_be_visible()
    performed = time.monotonic()
    wait_until_closed(installation, page, case, language)
    print(f"\n  closed {time.monotonic() - performed:.1f} s after the home call")
    take_picture(page, installation, "signal-4-closed", language)
    page.goto("/")
    expect(page.locator(f'#signals a[href="/signals/{case}"]')).to_have_count(0)


@pytest.mark.requirement("SIG-06")
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_death_at_home_stands_on_the_site_doctor_s_list_and_no_visit_follows_it(
    installation: Installation, signed_in: SignedIn, language: str
) -> None:
    person = site_adult(installation, sex="F")
    page = signed_in("doctor", language)
    page.goto("/deaths")
    page.locator('main a[href="/deaths/new"]').click()
    pick(page, "patient_id", person.iin, str(person.key))
    page.locator("select[name=place]").select_option("home")
    pick(page, "underlying_icd10", "I25.1", "I25.1")
    page.locator("input[name=died_at]").fill("10.01.2015 10:00")
    send(page)
    expect(error_of(page, "died_at")).to_have_text(text("deaths.error.before_event", language))
    page.locator("input[name=died_at]").fill(ago(DAY))
    take_picture(page, installation, "death-3-form", language)
    send(page)
    page.wait_for_url(re.compile(r"/deaths/\d+$"))
    take_picture(page, installation, "death-4-registered", language)

    page.goto(f"/patients/{person.key}")
    expect(page.locator("main .timeline")).to_contain_text(text("deaths.timeline", language))
    case = case_of(installation, person, "SIG-06")
    open_case(page, case, person)
    expect(page.locator("#act-active")).to_have_count(0)
    take_picture(page, installation, "death-5-case", language)

    page.goto(f"/patients/{person.key}")
    expect(page.locator('main a[href^="/visits/new"]')).to_have_count(0)
    page.goto(f"/visits/new?patient={person.key}")
    send(page)
    expect(page.locator("main")).to_contain_text(text("visits.error.outside_life", language))
    take_picture(page, installation, "death-6-visit-refused", language)
