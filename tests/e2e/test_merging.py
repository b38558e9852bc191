"""Two records of one person are merged side by side and separated again."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import SignedIn
from tests.e2e.installation import Installation
from tests.e2e.screens import pick, text

pytestmark = pytest.mark.journey


@pytest.mark.parametrize("language", ["ru", pytest.param("kk", marks=pytest.mark.long)])
def test_two_records_are_merged_and_separated_and_both_numbers_stay_findable(
    installation: Installation, signed_in: SignedIn, language: str
) -> None:
    (kept, kept_no, kept_iin), (gone, gone_no, gone_iin) = installation.rows(
        "select p.id, p.patient_no, p.iin from patient p join attachment a on a.patient_id = p.id"
        " join organisation o on o.id = a.organisation_id where o.kind = 'polyclinic' and a.valid_to is null"
        " and p.iin is not null and p.death_date is null and p.merged_into_id is null and p.voided_at is null"
        " order by p.id desc limit 2"
    )
    page = signed_in("chief", language)
    page.goto(f"/patients/{kept}/merge")
    pick(page, "other", gone_iin, str(gone))
    page.locator("[data-submit]").click()
    page.locator(f"input[name=survivor][value='{kept}']").check()
    page.locator("textarea[name=reason]").fill("Екі рет тіркелген")
    page.locator("input[name=confirmed]").check()
    page.locator("[data-submit]").click()
    page.wait_for_url(re.compile(rf"/patients/{kept}$"))
    expect(page.locator("main")).to_contain_text(f"№ {gone_no}")

    for iin in (kept_iin, gone_iin):
        page.goto("/patients")
        page.locator("#q-patients").fill(iin)
        expect(page.locator(f'#list-patients-body a[href="/patients/{kept}"]')).to_be_visible()

    page.goto(f"/patients/{kept}")
    page.get_by_role("button", name=text("patients.separate", language), exact=True).first.click()
    dialog = page.locator("dialog[open]")
    dialog.locator("textarea[name=reason]").fill("Екі бөлек адам")
    dialog.locator(".dialog-actions .button").last.click()
    expect(page.locator("[data-toast].toast-ok, [data-toast].toast-info").last).to_be_visible()
    for iin, patient, number in ((kept_iin, kept, kept_no), (gone_iin, gone, gone_no)):
        page.goto("/patients")
        page.locator("#q-patients").fill(iin)
        row = page.locator("#list-patients-body tr", has=page.locator(f'a[href="/patients/{patient}"]'))
        expect(row).to_contain_text(str(number))
