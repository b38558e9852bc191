"""Screens of home calls in both languages: journal, registration, what happens to a call, the call sheet."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from kmis.settings import Settings
from operational.domains.home_visits import timeline
from operational.domains.patients import card
from operational.kit.access import Scope
from tests.operational.home_visits.factories import create_attached, create_call
from tests.operational.patients.builders import registered
from tests.operational.stage import browser


@pytest.fixture
def client(session: Session, settings: Settings, scope: Scope) -> TestClient:
    return browser(settings, scope, session)


@pytest.mark.requirement("CALL-01")
@pytest.mark.requirement("CALL-04")
@pytest.mark.parametrize(
    ("language", "words"),
    [("kk", ("Дәрігерге берілді", "Шұғыл", "Орындалды")), ("ru", ("Передан врачу", "Срочный", "Выполнен"))],
)
def test_the_way_of_a_call(
    session: Session, settings: Settings, scope: Scope, world: dict[str, int], language: str, words: tuple[str, ...]
) -> None:
    client = browser(settings, scope, session, language=language)
    patient = create_attached(session, world["site"])
    assert client.get("/home-calls/new").status_code == 200
    chosen = client.post("/home-calls/choose", data={"patient_id": str(patient.id)})
    form = client.get(chosen.headers["location"]).text
    assert "Абай көшесі 5" in form
    assert f'<option value="{world["site"]}" selected>' in form
    assert f'<option value="{world["practitioner"]}" selected>' in form
    data = {
        "patient_id": str(patient.id), "called_at": "24.11.2026 13:50", "urgency": "urgent", "complaint": "Ентігу",
        "site_id": str(world["site"]), "practitioner_id": str(world["practitioner"]), "address": "Абай 5",
    }  # fmt: skip
    made = client.post("/home-calls/new", data=data)
    assert made.status_code == 303, made.text
    url = made.headers["location"]
    page = client.get(url).text
    assert words[0] in page
    assert words[1] in page
    assert "24.11.2026 15:50" in page
    journal = client.get("/home-calls").text
    assert f'href="{url}"' in journal
    done = client.post(f"{url}/perform", data={"performed_at": "24.11.2026 14:00", "result_note": "Емханаға шақырылды"})
    assert done.status_code == 303, done.text
    assert words[2] in client.get(url).text


@pytest.mark.requirement("CALL-05")
def test_call_sheet_has_all_that_the_doctor_needs(client: TestClient, session: Session, world: dict[str, int]) -> None:
    routine = create_attached(session, world["site"], surname="Жайбеков")
    urgent = create_attached(session, world["site"], surname="Шұғылов")
    create_call(session, routine, practitioner_id=world["practitioner"], temperature_note="38,4")
    create_call(session, urgent, practitioner_id=world["practitioner"], urgency="urgent")
    create_call(session, create_attached(session, world["site"], surname="Берілмегенов"))
    sheet = client.get("/home-calls/sheet").text
    for words in ("Жайбеков", "Қазталов, Абай көшесі 5", "+77011234567", "Дене қызуы 38, жөтел", "38,4"):
        assert words in sheet
    assert sheet.index("Шұғылов") < sheet.index("Жайбеков")
    assert "Берілмегенов" not in sheet
    other_day = client.get(f"/home-calls/sheet?day=25.11.2026&practitioner={world['practitioner']}").text
    assert "Жайбеков" not in other_day


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"called_at": "24.11.2026 18:00"}, "в будущем"),
        ({"called_at": "кеше"}, ""),
        ({"due_at": "24.11.2026 10:00"}, "раньше вызова"),
        ({"complaint": ""}, "Заполните"),
        ({"site_id": "0"}, "другой организации"),
    ],
)
def test_refusals_stand_at_their_fields(
    client: TestClient, session: Session, change: dict[str, str], message: str
) -> None:
    data = {"patient_id": str(registered(session).id), "called_at": "24.11.2026 13:00", "complaint": "Бас ауруы"}
    answer = client.post("/home-calls/new", data=data | change)
    assert answer.status_code == 422
    found = re.search(rf'id="e-{next(iter(change))}"[^>]*>([^<]+)<', answer.text)
    assert found is not None
    assert message in found.group(1)


@pytest.mark.requirement("CALL-02")
@pytest.mark.requirement("CALL-03")
def test_changes_on_the_screen(client: TestClient, session: Session, world: dict[str, int]) -> None:
    call = create_call(session, create_attached(session, world["site"]))
    url = f"/home-calls/{call.id}"
    assert client.get(f"{url}/edit").status_code == 200
    assert client.post(f"{url}/edit", data={"complaint": "Іші ауырады", "urgency": "urgent"}).status_code == 303
    assert "Іші ауырады" in client.get(url).text
    nobody = client.post(f"{url}/assign", data={"practitioner_id": ""})
    assert (nobody.status_code, 'id="e-practitioner_id"' in nobody.text) == (422, True)
    assert client.post(f"{url}/assign", data={"practitioner_id": str(world["practitioner"])}).status_code == 303
    empty = client.post(f"{url}/perform", data={"performed_at": "24.11.2026 14:00"})
    assert (empty.status_code, 'id="e-result_note"' in empty.text) == (422, True)
    assert client.post(f"{url}/not-found", data={}).status_code == 303
    assert "Не застали дома" in client.get(url).text
    assert client.post(f"{url}/reopen", data={"reason": "застали вечером"}).status_code == 303
    short = client.post(f"{url}/cancel", data={"reason": "x"})
    assert (short.status_code, "не короче трёх букв" in short.text) == (422, True)
    assert client.post(f"{url}/cancel", data={"reason": "отказ пациента"}).status_code == 303
    assert "отказ пациента" in client.get(url).text
    assert client.post(f"{url}/void", data={"reason": "ошибка"}).status_code == 303
    assert client.post(f"{url}/restore", data={"reason": "не ошибка"}).status_code == 303


def test_journal_narrows(client: TestClient, session: Session, world: dict[str, int]) -> None:
    late = create_call(session, create_attached(session, world["site"], surname="Кешігулов"),
                       called_at="20.11.2026 10:00")  # fmt: skip
    fresh = create_call(session, create_attached(session, world["site"], surname="Жаңабаев"), urgency="urgent")
    late_url, fresh_url = f'href="/home-calls/{late.id}"', f'href="/home-calls/{fresh.id}"'

    def shown(**asked: str) -> tuple[bool, bool]:
        text = client.post("/home-calls", data=asked).text
        return late_url in text, fresh_url in text

    assert shown() == (True, True)
    assert shown(overdue="1") == (True, False)
    assert shown(urgency="urgent") == (False, True)
    assert shown(day="20.11.2026") == (True, False)
    assert shown(q="Жаңабаев") == (False, True)
    assert shown(q=";fyf,ftd") == (False, True)  # typed in the Latin layout
    assert shown(q="Жоқбаев") == (False, False)
    assert shown(site=str(world["site"]), status="open", kind="call", sort="patient:desc") == (True, True)
    assert shown(status="done") == shown(kind="active") == shown(practitioner="1") == (False, False)


def test_rights(session: Session, settings: Settings, scope: Scope, world: dict[str, int]) -> None:
    url = f"/home-calls/{create_call(session, create_attached(session, world['site'])).id}"
    reader = browser(settings, replace(scope, permissions=frozenset({"home_visits.read"})), session)
    assert reader.get(url).status_code == 200
    assert "<textarea" not in reader.get(url).text
    for path in ("/perform", "/not-found", "/assign", "/cancel", "/void", "/reopen", "/take", "/edit"):
        assert reader.post(url + path).status_code == 403, path
    nurse = browser(
        settings, replace(scope, permissions=frozenset({"home_visits.read", "home_visits.perform"})), session
    )
    assert nurse.post(f"{url}/take").status_code == 303
    assert nurse.post(f"{url}/cancel", data={"reason": "себеп"}).status_code == 403
    assert browser(settings, replace(scope, permissions=frozenset()), session).get("/home-calls").status_code == 403


def test_unknown_addresses(client: TestClient) -> None:
    for path in ("/home-calls/0", "/home-calls/new?patient=x", "/home-calls/0/edit"):
        assert client.get(path).status_code == 404, path


def test_card_shows_calls(session: Session, scope: Scope, world: dict[str, int]) -> None:
    timeline.register()
    patient = create_attached(session, world["site"])
    create_call(session, patient, kind="active", source="hospital")
    query = card.TimelineQuery((patient.id,), "kk", "Asia/Oral", 20)
    shown = card.timeline(session, query, scope.permissions, kinds=["home_call"])
    assert [entry.title for entry in shown.entries] == ["Белсенді бару"]
    assert shown.counts["home_call"] == 1
