"""The registrar's work in a real browser: a person, a booking, a schedule; what is wrong is told at its field."""

from __future__ import annotations

import re
from datetime import date, timedelta

import pytest
from playwright.sync_api import Page, expect

from kmis.iin import generate_first
from tests.e2e.conftest import SignedIn
from tests.e2e.installation import Installation
from tests.e2e.screens import error_of, text, toast

pytestmark = pytest.mark.journey
LANGUAGES = ["ru", pytest.param("kk", marks=pytest.mark.long)]


def new_iin(born: date, installation: Installation) -> str:
    """A valid IIN of a woman born then that nobody has."""
    taken = {row[0] for row in installation.rows("select iin from patient where iin is not null")}
    numbers = (generate_first(born, "F", range(serial, 9999)) for serial in range(9000, 9990))
    return next(number for number in numbers if number not in taken)


def free_day(installation: Installation) -> tuple[date, int, int]:
    """A coming day with a free slot of the polyclinic, that slot, and its doctor."""
    found = installation.rows(
        "select (s.starts_at at time zone 'Asia/Oral')::date, s.id, s.practitioner_id from slot s"
        " join organisation o on o.id = s.owner_organisation_id where o.kind = 'polyclinic'"
        " and s.starts_at > now() + interval '10 minutes' and s.blocked_at is null and s.capacity = 1 and not exists"
        " (select 1 from appointment a where a.slot_id = s.id and a.status <> 'cancelled') order by s.starts_at limit 1"
    )
    day, slot, doctor = found[0]
    return day, int(slot), int(doctor)


def book(page: Page, patient: str, day: date, doctor: int, slot: int) -> None:
    """Book the slot for a patient whose card led here."""
    page.goto(f"/book?patient={patient}&day={day:%d.%m.%Y}&doctor={doctor}")
    page.locator(f"label:has(input[name=slot_id][value='{slot}'])").click()
    page.locator("#slots [data-submit]").click()


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_citizen_is_registered_booked_cancelled_and_booked_again(
    installation: Installation, signed_in: SignedIn, language: str
) -> None:
    page = signed_in("registrar", language)
    # A birth date of her own, so that nobody of the same name is a namesake.
    ((people,),) = installation.rows("select count(*) from patient")
    born = date(1970, 1, 1) + timedelta(days=people % 9000)
    iin = new_iin(born, installation)
    page.goto("/patients/new")
    wrong = iin[:-1] + str((int(iin[-1]) + 1) % 10)
    page.locator("#f-iin").fill(wrong)
    page.locator("#f-surname").fill("Сынақбаева")
    page.locator("#f-given_name").fill("Әйгерім")
    page.locator("#f-birth_date").fill(f"{born:%d.%m.%Y}")
    page.locator("label", has=page.locator("input[name=sex][value=F]")).click()
    page.locator("[data-submit]").click()
    expect(error_of(page, "iin")).to_have_text(text("iin.error.check_digit", language))
    expect(page.locator("#f-surname")).to_have_value("Сынақбаева")
    page.locator("#f-iin").fill(iin)
    page.locator("[data-submit]").click()
    page.wait_for_url(re.compile(r"/patients/\d+$"))
    patient = page.url.rsplit("/", 1)[1]

    day, slot, doctor = free_day(installation)
    book(page, patient, day, doctor, slot)
    expect(toast(page)).to_contain_text(text("scheduling.booked", language))
    line = page.locator("tbody tr", has_text="Сынақбаева").filter(has=page.locator(".badge-info"))
    line.get_by_role("button", name=text("scheduling.cancel", language), exact=True).click()
    dialog = page.locator("dialog[open]")
    dialog.locator(".button-danger-solid").click()
    expect(toast(page)).to_contain_text(text("scheduling.cancelled", language))

    # The same free time is open in two windows; the second to press the button is told that it is gone.
    late = page.context.new_page()
    late.goto(f"/book?patient={patient}&day={day:%d.%m.%Y}&doctor={doctor}")
    late.locator(f"label:has(input[name=slot_id][value='{slot}'])").click()
    book(page, patient, day, doctor, slot)
    expect(toast(page)).to_contain_text(text("scheduling.booked", language))
    late.locator("#slots [data-submit]").click()
    refusals = [text(f"scheduling.error.{key}", language) for key in ("slot_taken", "patient_busy")]
    expect(late.locator(".field-error").first).to_have_text(re.compile("|".join(map(re.escape, refusals))))


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_overlapping_or_reversed_schedule_is_refused_at_its_field(
    installation: Installation, signed_in: SignedIn, language: str
) -> None:
    page = signed_in("registrar", language)
    role, room = installation.rows(
        "select r.id, m.id from practitioner_role r join organisation o on o.id = r.organisation_id"
        " join room m on m.organisation_id = o.id where o.kind = 'polyclinic' and r.valid_to is null"
        " and r.position_code = 'site_doctor' order by r.id, m.id limit 1"
    )[0]
    ((last,),) = installation.rows("select max(ends_at at time zone 'Asia/Oral')::date from schedule")
    day = last + timedelta(days=1)

    def make(until: date) -> None:
        page.goto("/schedules")
        page.locator("select[name=practitioner_role_id]").select_option(str(role))
        page.locator("select[name=room_id]").select_option(str(room))
        page.locator("#f-date_from").fill(f"{day:%d.%m.%Y}")
        page.locator("#f-date_to").fill(f"{until:%d.%m.%Y}")
        for number in (6, 7):
            page.locator(f"label:has(input[name=weekdays][value='{number}'])").click()
        page.locator("form[action^='/schedules'] [data-submit]").click()

    make(day - timedelta(days=1))
    expect(error_of(page, "date_to")).to_have_text(text("scheduling.error.period", language))
    make(day)
    expect(toast(page)).to_contain_text(text("scheduling.made", language, days=1))
    make(day)
    expect(error_of(page, "start_time")).to_have_text(text("scheduling.error.practitioner_busy", language))
