"""What the journeys do on the screens of the hospital: present, admit, discharge, and whom a journey is about."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from playwright.sync_api import Locator, Page, expect

from tests.e2e.installation import Installation
from tests.e2e.screens import pick, text

ZONE = ZoneInfo("Asia/Oral")
MOMENT = "%d.%m.%Y %H:%M"


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody of the site of the user `doctor`."""

    key: int
    iin: str
    surname: str


def site_adult(installation: Installation, *, sex: str = "M") -> Person:
    """A living adult of the site of the user `doctor`, never in a hospital and without a visit of late."""
    found = installation.rows(
        "select p.id, p.iin, p.surname from app_user u"
        " join site_assignment s on s.practitioner_id = u.practitioner_id and s.valid_to is null"
        " join attachment a on a.site_id = s.site_id and a.valid_to is null join patient p on p.id = a.patient_id"
        " where u.login = 'doctor' and p.sex = %s and p.birth_date < '1990-01-01' and p.iin is not null"
        " and p.death_date is null and p.merged_into_id is null and p.voided_at is null"
        " and not exists (select from hospital_presentation h where h.patient_id = p.id)"
        " and not exists (select from hospital_stay h where h.patient_id = p.id)"
        " and exists (select from encounter e where e.patient_id = p.id and e.signed_at is not null)"
        " and not exists (select from encounter e where e.patient_id = p.id"
        " and e.started_at > now() - interval '3 days')"
        " order by p.id limit 1",
        sex,
    )
    return Person(*found[0])


def department(installation: Installation, kind: str) -> str:
    """Key of the department of that kind in the hospital of the user `ward`."""
    found = installation.rows(
        "select d.id from app_user u join user_role r on r.user_id = u.id"
        " join department d on d.organisation_id = r.organisation_id"
        " where u.login = 'ward' and d.kind = %s order by d.id limit 1",
        kind,
    )
    return str(found[0][0])


def ago(minutes: int) -> str:
    """A moment of the last hours as a control of date and time takes it."""
    return f"{datetime.now(ZONE) - timedelta(minutes=minutes):{MOMENT}}"


def send(page: Page) -> None:
    """Press the main button of the form."""
    page.locator("main form [data-submit]").last.click()


def repick(scope: Page | Locator, name: str, code: str) -> None:
    """Choose another entry in a picker that may hold one already."""
    clear = scope.locator(f"[data-picker]:has(input[name={name}]) [data-picker-clear]")
    if clear.is_visible():
        clear.click()
    pick(scope, name, code, code)


def fill_presentation(page: Page, person: Person, minutes: int, *, channel: str = "ambulance") -> None:
    """From the admission board: who came, how and when."""
    page.goto("/admission")
    page.locator('main a[href="/admission/new"]').click()
    pick(page, "patient_id", person.iin, str(person.key))
    page.locator("input[name=arrived_at]").fill(ago(minutes))
    page.locator("select[name=arrival_channel]").select_option(channel)
    page.locator("textarea[name=complaint]").fill("Кеуде тұсының ауыруы, ентігу")


def present(page: Page, person: Person, minutes: int) -> int:
    """Register a presentation with measured values; its key."""
    fill_presentation(page, person, minutes)
    for name, value in (("temperature", "36,9"), ("pulse", "96"), ("systolic", "140"), ("diastolic", "90")):
        page.locator(f"input[name={name}]").fill(value)
    send(page)
    page.wait_for_url(re.compile(r"/admission/\d+$"))
    return int(page.url.rsplit("/", 1)[1])


def fill_admission(page: Page, place: str, profile: str, minutes: int, *, bed: str) -> None:
    """From an open presentation: the form of the bed with everything filled."""
    page.locator('main a[href$="/admit"]').click()
    page.locator("input[name=admitted_at]").fill(ago(minutes))
    page.locator("select[name=department_id]").select_option(place)
    page.locator("select[name=bed_profile]").select_option(profile)
    page.locator("input[name=ward]").fill("7")
    page.locator("input[name=bed]").fill(bed)
    page.locator("select[name=practitioner_id]").select_option(index=1)
    repick(page, "icd10_code", "I20.0")


def admit(page: Page, place: str, profile: str, minutes: int, *, bed: str) -> int:
    """Admit to a bed; the key of the stay."""
    fill_admission(page, place, profile, minutes, bed=bed)
    send(page)
    page.wait_for_url(re.compile(r"/stays/\d+$"))
    return int(page.url.rsplit("/", 1)[1])


def fill_discharge(page: Page, stay: int, code: str) -> None:
    """The form of the discharge with its final diagnosis."""
    page.goto(f"/stays/{stay}")
    page.locator(f'main a[href="/stays/{stay}/discharge"]').click()
    repick(page, "icd10_code", code)
    page.locator("textarea[name=recommendations]").fill("Ацетилсалицил қышқылы 75 мг, кардиолог бақылауы")


def discharge(page: Page, stay: int, code: str, language: str) -> None:
    """Discharge and sign."""
    fill_discharge(page, stay, code)
    send(page)
    page.wait_for_url(re.compile(rf"/stays/{stay}(#|$)"))
    expect(page.locator("#end")).to_contain_text(text("inpatient.signed_at", language))
