"""At a shared workplace nothing stays on the screen after the sign-out."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import SignedIn
from tests.e2e.installation import Installation

pytestmark = pytest.mark.journey


@pytest.mark.parametrize("language", ["ru", pytest.param("kk", marks=pytest.mark.long)])
def test_signing_out_closes_an_open_dashboard_within_ten_seconds(
    installation: Installation, signed_in: SignedIn, language: str
) -> None:
    page = signed_in("chief", language)
    dashboard = page.context.new_page()
    dashboard.goto(f"{installation.dashboards}/dash-01")
    figure = dashboard.locator("[data-testid=stMetricValue]").first
    expect(figure).to_be_visible(timeout=60_000)
    page.locator(".menu > summary").click()
    page.locator("form[action='/sign-out'] button").click()
    expect(page.locator("#f-login")).to_be_visible()
    expect(figure).to_be_hidden(timeout=10_000)
    expect(dashboard.locator("[data-testid=stMetricValue]")).to_have_count(0)
