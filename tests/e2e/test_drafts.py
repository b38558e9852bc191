"""What a doctor types outlives a reload and a lost connection."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import SignedIn
from tests.e2e.installation import Installation
from tests.e2e.screens import text
from tests.e2e.test_visit_path import adult_of_the_polyclinic

pytestmark = pytest.mark.journey


def open_visit(page: Page, patient: int) -> None:
    page.goto(f"/visits/new?patient={patient}")
    page.locator("[data-submit]").click()
    page.wait_for_url(re.compile(r"/visits/\d+$"))


@pytest.mark.parametrize("language", ["kk", pytest.param("ru", marks=pytest.mark.long)])
def test_a_draft_survives_a_reload_and_a_lost_connection(
    installation: Installation, signed_in: SignedIn, language: str
) -> None:
    page = signed_in("doctor", language)
    open_visit(page, adult_of_the_polyclinic(installation).key)
    complaints, plan = page.locator("textarea[name=complaints]"), page.locator("textarea[name=plan]")
    state = page.locator("#text [data-draft-state]")
    complaints.fill("Бас ауруы, екі күн")
    expect(state).to_have_text(text("draft.saved", language))
    page.reload()
    expect(complaints).to_have_value("Бас ауруы, екі күн")

    page.context.set_offline(True)
    plan.fill("Қан қысымын бақылау")
    expect(state).to_have_text(text("draft.waiting", language))
    expect(page.locator("[data-line-state]")).to_be_visible()
    page.context.set_offline(False)
    expect(state).to_have_text(text("draft.saved", language))
    expect(page.locator("[data-line-state]")).to_be_hidden()
    page.reload()
    expect(plan).to_have_value("Қан қысымын бақылау")
    expect(complaints).to_have_value("Бас ауруы, екі күн")
