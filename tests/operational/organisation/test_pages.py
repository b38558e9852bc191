"""Screens of organisations and directories, in both languages, for who may read and who may change."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from types import ModuleType

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import text
from sqlalchemy.orm import Session
from starlette.types import ASGIApp, Receive, Send
from starlette.types import Scope as AsgiScope

from kmis.clock import FixedClock
from kmis.settings import Settings
from operational.domains.catalogs import api as catalogs_api
from operational.domains.catalogs import pages as catalogs_pages
from operational.domains.organisation import api, pages
from operational.kit.access import Scope
from operational.web import database
from operational.web.setup import install
from operational.web.viewer import Viewer

READ = frozenset({"organisation.read", "catalogs.read"})
MANAGE = READ | {"organisation.manage"}


class _SignedIn:
    """Puts the viewer on every request."""

    def __init__(self, app: ASGIApp, viewer: Viewer) -> None:
        self.app = app
        self.viewer = viewer

    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        scope.setdefault("state", {})["viewer"] = self.viewer
        await self.app(scope, receive, send)


def client_of(
    session: Session, settings: Settings, scope: Scope, language: str, permissions: frozenset[str]
) -> TestClient:
    """A browser whose requests are savepoints of the test's transaction."""
    viewer = Viewer(
        session_id=1, user_id=scope.user_id or 0, login="test", display_name="Тест", language=language,
        permissions=permissions, organisation_ids=scope.organisation_ids,
        home_organisation_id=scope.home_organisation_id,
    )  # fmt: skip
    app = FastAPI()
    app.state.clock = FixedClock(datetime(2026, 11, 24, 9, 0, tzinfo=UTC))
    app.add_middleware(_SignedIn, viewer=viewer)
    screens: list[ModuleType] = [pages, catalogs_pages]
    install(app, settings, pages=screens)
    for router in (api.router, catalogs_api.router, pages.router, catalogs_pages.router):
        app.include_router(router)

    def _session() -> Iterator[Session]:
        with session.begin_nested():
            yield session

    app.dependency_overrides[database._session] = _session
    return TestClient(app, headers={"Authorization": "Bearer test"}, follow_redirects=False)


@pytest.fixture
def directory(session: Session) -> None:
    """A few entries of directories."""
    session.execute(
        text(
            "insert into directory (code, title_kk, title_ru, status, version, source) values"
            " ('icd10', 'ХАЖ-10', 'МКБ-10', 'official', '1', 's'), ('position', 'Лауазымдар', 'Должности', 'own',"
            " '1', 's') on conflict do nothing"
        )
    )
    session.execute(
        text(
            "insert into coded_value (directory_code, code, name_kk, name_ru) values ('position', 'gp', 'Дәрігер',"
            " 'Врач'), ('specialty', 'therapy', 'Терапия', 'Терапия') on conflict do nothing"
        )
    )


@pytest.mark.parametrize("language", ["kk", "ru"])
def test_every_screen_opens_without_a_missing_text(
    session: Session, settings: Settings, scope: Scope, world: dict[str, int], language: str, directory: None
) -> None:
    client = client_of(session, settings, scope, language, MANAGE)
    polyclinic = world["polyclinic"]
    for address in (
        "/organisations", f"/organisations/{polyclinic}", f"/organisations/{polyclinic}/staff",
        f"/staff/{world['practitioner']}", f"/sites/{world['site']}", "/catalogs", "/catalogs/icd10",
        "/catalogs/position",
    ):  # fmt: skip
        answer = client.get(address)
        assert answer.status_code == 200, address
        assert "⟦" not in answer.text, address


def test_staff_is_searched_by_post_and_never_by_address(
    session: Session, settings: Settings, scope: Scope, world: dict[str, int], directory: None
) -> None:
    client = client_of(session, settings, scope, "ru", READ)
    address = f"/organisations/{world['polyclinic']}/staff"
    assert "Сейтқали" in client.post(address, data={"q": "сейткали"}).text
    assert "Сейтқали" not in client.post(address, data={"q": "Петров"}).text


def test_a_move_is_made_and_its_refusal_stands_at_the_field(
    session: Session, settings: Settings, scope: Scope, world: dict[str, int], directory: None
) -> None:
    client = client_of(session, settings, scope, "ru", MANAGE)
    address = f"/staff/{world['practitioner']}/roles/{world['role']}/move"
    form = {
        "department_id": str(world["department"]), "position_code": "gp", "specialty_code": "therapy",
        "valid_from": "01.01.2000",
    }  # fmt: skip
    refused = client.post(address, data=form)
    assert refused.status_code == 422
    assert "Дата должна быть позже" in refused.text
    done = client.post(address, data={**form, "valid_from": "01.03.2026"})
    assert done.status_code == 303


def test_who_may_only_read_changes_nothing(
    session: Session, settings: Settings, scope: Scope, world: dict[str, int], directory: None
) -> None:
    client = client_of(session, settings, scope, "kk", READ)
    assert client.post(f"/sites/{world['site']}/assign", data={"valid_from": "01.03.2026"}).status_code == 403
    assert client.get(f"/organisations/{world['other']}").status_code == 404


def test_the_api_lists_and_refuses(
    session: Session, settings: Settings, scope: Scope, world: dict[str, int], directory: None
) -> None:
    client = client_of(session, settings, scope, "ru", MANAGE)
    assert [o["id"] for o in client.get("/api/organisations").json()] == [world["polyclinic"]]
    staff = client.get(f"/api/organisations/{world['polyclinic']}/staff").json()
    assert staff[0]["practitioner_id"] == world["practitioner"]
    sites = client.get(f"/api/organisations/{world['polyclinic']}/sites").json()
    assert sites[0]["id"] == world["site"]
    refused = client.post(
        f"/api/organisations/sites/{world['site']}/assignments",
        json={"practitioner_id": world["other_practitioner"], "valid_from": "2026-03-01"},
    )
    assert refused.status_code == 422
    assert refused.json()["field"] == "practitioner_id"


@pytest.mark.requirement("STD-03")
def test_directories_answer_pickers_and_programs(
    session: Session, settings: Settings, scope: Scope, directory: None
) -> None:
    client = client_of(session, settings, scope, "kk", READ)
    session.execute(text("update icd10 set search_key = ' j069 orvi' where code = 'J06.9'"))
    options = client.post("/catalogs/icd10/options", data={"q": "J06"}).text
    assert 'data-value="J06.9"' in options
    assert "қазақша атауы жоқ" in options
    found = client.get("/api/catalogs/icd10", params={"q": "орви"}).json()
    assert found[0]["code"] == "J06.9" and found[0]["untranslated_flag"]
    assert client.get("/api/catalogs/values/position").json()
    assert client.get("/api/catalogs/values/nothing").status_code == 404
    assert client.get("/catalogs/nothing").status_code == 404
