"""The path through the hospital in a real browser: an emergency patient to the figures, a refusal, a death."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest
from openpyxl import load_workbook
from playwright.sync_api import Page, expect

from tests.e2e import hospital
from tests.e2e.conftest import SignedIn
from tests.e2e.hospital import Person, ago, department, send, site_adult
from tests.e2e.installation import Installation
from tests.e2e.screens import Size, error_of, pick, text
from tests.e2e.test_visit_path import FRESH_S, download_excel, number_of, shown

pytestmark = pytest.mark.journey
LANGUAGES = ["kk", pytest.param("ru", marks=pytest.mark.long)]


def take_picture(page: Page, installation: Installation, name: str, language: str) -> None:
    """Keep the whole page, and how it looks on a telephone."""
    page.screenshot(path=installation.screenshots / f"{name}-{language}.png", full_page=True, animations="disabled")
    page.set_viewport_size(Size.PHONE.viewport)
    phone = installation.screenshots / f"{name}-{language}-phone.png"
    page.screenshot(path=phone, full_page=True, animations="disabled")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), f"{name} is wider than the phone"
    page.set_viewport_size(Size.DESK.viewport)


def open_board(chief: Page, product: str) -> Page:
    """Another tab of the chief with a product of the catalogue."""
    board = chief.context.new_page()
    board.goto(f"/boards/{product}")
    return board


def expect_figure(board: Page, measure: str, number: int) -> None:
    """The figure on the page that stays open comes to the number in time."""
    expect(board.locator(f'[data-measure="{measure}"]')).to_have_text(shown(number), timeout=FRESH_S * 1000)


def refuse_second_presentation(page: Page, person: Person, language: str) -> None:
    """Who waits is not registered again."""
    hospital.fill_presentation(page, person, 1, channel="self")
    send(page)
    expect(error_of(page, "patient_id")).to_have_text(text("inpatient.error.waiting", language))


def refuse_second_admission(page: Page, person: Person, place: str, language: str) -> None:
    """Who lies in a bed is not admitted again; the presentation was a mistake and is marked so."""
    hospital.present(page, person, 1)
    hospital.fill_admission(page, place, "therapeutic", 0, bed=f"{person.key}-2")
    send(page)
    expect(error_of(page, "admitted_at")).to_have_text(text("inpatient.error.in_hospital", language))
    page.locator(".crumbs a").last.click()
    page.get_by_role("button", name=text("inpatient.void", language), exact=True).click()
    dialog = page.locator("dialog[open]")
    dialog.locator("input[name=reason]").fill("Қате тіркелген")
    dialog.locator(".dialog-actions .button").last.click()
    expect(page.locator("main")).to_contain_text(text("inpatient.state.voided", language))


def move(page: Page, stay: int, place: str, profile: str, minutes: int, bed: str) -> None:
    """To another department and bed."""
    page.locator(f'main a[href="/stays/{stay}/move"]').click()
    page.locator("input[name=started_at]").fill(ago(minutes))
    page.locator("select[name=department_id]").select_option(place)
    page.locator("select[name=bed_profile]").select_option(profile)
    page.locator("input[name=bed]").fill(bed)
    send(page)
    page.wait_for_url(re.compile(rf"/stays/{stay}(#|$)"))


def measure(page: Page, stay: int, rounds: list[tuple[int, str, str, str, str]]) -> None:
    """Rounds of measurements on the temperature sheet; each is a point of the drawing."""
    page.locator(f'main a[href="/stays/{stay}/sheet"]').first.click()
    for count, (minutes, temperature, pulse, upper, lower) in enumerate(rounds, start=1):
        page.locator("input[name=measured_at]").fill(ago(minutes))
        for name, value in (("temperature", temperature), ("pulse", pulse), ("systolic", upper), ("diastolic", lower)):
            page.locator(f"input[name={name}]").fill(value)
        send(page)
        expect(page.locator("svg circle")).to_have_count(count)


def operate(page: Page, stay: int) -> None:
    """An operation with its protocol; before it, an operation outside the stay is refused at its field."""
    page.locator(f'main a[href="/stays/{stay}/operation"]').click()
    pick(page, "operation_code", "OP01-03", "OP01-03")
    page.locator("input[name=started_at]").fill(ago(35))
    page.locator("input[name=ended_at]").fill(ago(25))
    page.locator("select[name=surgeon_id]").select_option(index=1)
    page.locator("label:has(input[name=urgency][value=emergency])").click()
    page.locator("select[name=anaesthesia]").select_option("general")
    page.locator("textarea[name=protocol]").fill("Асқынусыз")


def transfuse(page: Page, stay: int) -> None:
    """Red cells without a reaction."""
    page.locator(f'main a[href="/stays/{stay}/transfusion"]').click()
    page.locator("select[name=component]").select_option("red_cells")
    page.locator("input[name=volume_ml]").fill("350")
    page.locator("label:has(input[name=blood_group][value=A])").click()
    page.locator("label:has(input[name=rhesus][value='+'])").click()
    page.locator("input[name=unit_number]").fill(f"KZ-{stay}")
    page.locator("input[name=started_at]").fill(ago(22))
    page.locator("input[name=ended_at]").fill(ago(18))
    page.locator("select[name=practitioner_id]").select_option(index=1)
    page.locator("input[name=indication]").fill("Гемоглобин 68 г/л")
    send(page)
    page.wait_for_url(re.compile(rf"/stays/{stay}(#|$)"))
    expect(page.locator("#transfusions")).to_contain_text(f"KZ-{stay}")


def rows_with(file: Path, value: str) -> list[tuple[object, ...]]:
    """Rows of the data sheet in which the value stands in a cell."""
    sheet = load_workbook(file, read_only=True).worksheets[0]
    return [row for row in sheet.iter_rows(min_row=2, values_only=True) if value in map(str, row)]


@pytest.mark.requirement("DASH-07", "LIVE-05", "XLS-22")
@pytest.mark.parametrize("language", LANGUAGES)
def test_an_emergency_patient_goes_through_the_hospital_into_figures_their_rows_and_excel(
    installation: Installation, signed_in: SignedIn, tmp_path: Path, language: str
) -> None:
    person = site_adult(installation)
    therapy, icu = department(installation, "therapeutic"), department(installation, "intensive_care")
    chief = signed_in("chief", language)
    live, admissions, discharges = (open_board(chief, name) for name in ("LIVE-05", "DASH-07", "XLS-22"))
    before = {
        name: number_of(board.locator(f'[data-measure="{name}"]'))
        for board, name in ((live, "waiting_now"), (live, "occupied_now"), (admissions, "in_hospital_now"),
                            (discharges, "left_hospital_total"))
    }  # fmt: skip

    page = signed_in("ward", language)
    hospital.fill_presentation(page, person, 50)
    for name, value in (("temperature", "36,9"), ("pulse", "150"), ("systolic", "70"), ("diastolic", "40"),
                        ("respiratory_rate", "36"), ("spo2", "80")):  # fmt: skip
        page.locator(f"input[name={name}]").fill(value)
    page.locator("input[name=spo2]").press("Tab")
    expect(page.locator("#proposal")).to_contain_text(text("inpatient.zone.red", language))
    take_picture(page, installation, "hospital-1-present", language)
    send(page)
    page.wait_for_url(re.compile(r"/admission/\d+$"))
    presentation = page.url
    started = time.monotonic()
    expect_figure(live, "waiting_now", before["waiting_now"] + 1)
    waiting_s = time.monotonic() - started
    refuse_second_presentation(page, person, language)

    page.goto("/admission")
    page.locator("#zone-red a", has_text=person.surname).first.click()
    assert page.url == presentation
    page.locator("input[name=seen_at]").fill(ago(48))
    page.get_by_role("button", name=text("inpatient.mark_seen", language), exact=True).click()
    take_picture(page, installation, "hospital-2-presentation", language)
    stay = hospital.admit(page, therapy, "therapeutic", 45, bed=str(person.key))
    started = time.monotonic()
    expect_figure(live, "occupied_now", before["occupied_now"] + 1)
    expect_figure(admissions, "in_hospital_now", before["in_hospital_now"] + 1)
    occupied_s = time.monotonic() - started
    refuse_second_admission(page, person, therapy, language)

    page.goto(f"/stays/{stay}")
    move(page, stay, icu, "intensive_care", 42, f"{person.key}")
    measure(page, stay, [(40, "38,4", "112", "90", "60"), (20, "37,1", "88", "118", "76")])
    take_picture(page, installation, "hospital-3-sheet", language)
    page.goto(f"/stays/{stay}")
    operate(page, stay)
    page.locator("input[name=started_at]").fill(ago(300))
    send(page)
    expect(error_of(page, "started_at")).to_have_text(text("inpatient.error.outside_stay", language))
    page.locator("input[name=started_at]").fill(ago(35))
    send(page)
    expect(page.locator("#operations")).to_contain_text("OP01-03")
    transfuse(page, stay)
    move(page, stay, therapy, "therapeutic", 15, f"{person.key}")
    expect(page.locator("#movements .timeline > li")).to_have_count(3)
    take_picture(page, installation, "hospital-4-stay", language)

    hospital.fill_discharge(page, stay, "I21.0")
    written = page.locator("textarea[name=epicrisis]").input_value()
    assert "350" in written and "38,4" in written and person.surname in written
    take_picture(page, installation, "hospital-5-discharge", language)
    page.locator("input[name=discharged_at]").fill(ago(600))
    send(page)
    expect(error_of(page, "discharged_at")).to_have_text(text("inpatient.error.discharge_before_admission", language))
    expect(page.locator("textarea[name=epicrisis]")).to_have_value(written)
    page.locator("input[name=discharged_at]").fill(ago(0))
    send(page)
    page.wait_for_url(re.compile(rf"/stays/{stay}(#|$)"))
    expect(page.locator("#diagnoses")).to_contain_text("I21.0")
    expect(page.locator("#end")).to_contain_text(text("inpatient.signed_at", language))
    started = time.monotonic()
    expect_figure(discharges, "left_hospital_total", before["left_hospital_total"] + 1)
    discharged_s = time.monotonic() - started
    take_picture(page, installation, "hospital-6-discharged", language)
    page.locator(f'main a[href="/stays/{stay}/epicrisis"]').click()
    expect(page.locator("article.paper")).to_contain_text("I21.0")
    page.screenshot(path=installation.screenshots / f"hospital-7-epicrisis-{language}.png", full_page=True)
    print(f"\n  on the open pages: waiting after {waiting_s:.1f} s, in bed after {occupied_s:.1f} s,"
          f" discharged after {discharged_s:.1f} s")  # fmt: skip

    number = installation.rows("select case_number from hospital_stay where id = %s", stay)[0][0]
    admissions.reload()
    admissions.locator('#product .card-tools a[href*="rows=1"]').click()
    admissions.locator("#rows input[name=q]").fill(number)
    admissions.locator("#rows input[name=q]").press("Enter")
    row = admissions.locator("#rows tbody tr", has=admissions.get_by_role("cell", name=number, exact=True))
    expect(row).to_have_count(1)
    expect(row).to_contain_text(person.surname)
    admissions.screenshot(path=installation.screenshots / f"hospital-8-rows-{language}.png", full_page=True)
    live.reload()
    live.screenshot(path=installation.screenshots / f"hospital-9-live-{language}.png", full_page=True)
    assert len(rows_with(download_excel(discharges, tmp_path), number)) == 1


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_refusal_has_its_reason_and_its_paper(installation: Installation, signed_in: SignedIn, language: str) -> None:
    person = site_adult(installation, sex="F")
    page = signed_in("ward", language)
    key = hospital.present(page, person, 30)
    page.locator(f'main a[href="/admission/{key}/decide/refused"]').click()
    page.locator("select[name=refusal_reason]").select_option("no_indication")
    page.locator("input[name=decided_at]").fill(ago(90))
    send(page)
    expect(error_of(page, "decided_at")).to_have_text(text("inpatient.error.decision_before_arrival", language))
    page.locator("input[name=decided_at]").fill(ago(5))
    advised = "Стационарлық емге көрсетілім жоқ, учаске дәрігерінің бақылауы"
    page.locator("textarea[name=note]").fill(advised)
    hospital.repick(page, "icd10_code", "R07.4")
    send(page)
    page.wait_for_url(re.compile(rf"/admission/{key}$"))
    expect(page.locator("main")).to_contain_text(text("inpatient.decision.refused", language))
    take_picture(page, installation, "refusal-1", language)
    page.locator(f'main a[href="/admission/{key}/print"]').click()
    paper = page.locator("article.paper")
    for part in (person.iin, "R07.4", advised, text("inpatient.paper_title.refused", language)):
        expect(paper).to_contain_text(part)
    page.screenshot(path=installation.screenshots / f"refusal-2-paper-{language}.png", full_page=True)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_death_in_the_ward_stands_in_the_card_and_ends_what_may_be_recorded(
    installation: Installation, signed_in: SignedIn, language: str
) -> None:
    person = site_adult(installation)
    page = signed_in("ward", language)
    hospital.present(page, person, 40)
    stay = hospital.admit(page, department(installation, "therapeutic"), "therapeutic", 35, bed=str(person.key))
    hospital.fill_discharge(page, stay, "I21.9")
    page.locator("select[name=outcome]").select_option("died")
    send(page)
    expect(error_of(page, "treatment_result")).to_have_text(text("inpatient.error.result_of_death", language))
    page.locator("select[name=treatment_result]").select_option("death")
    pick(page, "underlying_icd10", "I21.9", "I21.9")
    page.locator("input[name=certificate_number]").fill(f"E2E-{language}-{stay}")
    page.locator("input[name=discharged_at]").fill(ago(5))
    send(page)
    page.wait_for_url(re.compile(rf"/stays/{stay}(#|$)"))
    take_picture(page, installation, "death-1-stay", language)

    page.goto(f"/patients/{person.key}")
    expect(page.locator("main .timeline")).to_contain_text(text("deaths.timeline", language))
    take_picture(page, installation, "death-2-card", language)
    hospital.present(page, person, 1)
    hospital.fill_admission(page, department(installation, "therapeutic"), "therapeutic", 0, bed=f"{person.key}-2")
    send(page)
    expect(error_of(page, "admitted_at")).to_have_text(text("inpatient.error.died", language))
