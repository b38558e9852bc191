"""Screens of signal cases in both languages: lists, one case, what is done about it, the sheet on paper."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from pypdf import PdfReader
from sqlalchemy import text

from kmis.clock import FixedClock
from kmis.settings import Settings
from operational import handlers
from operational.events.inpatient import StayDischarged
from operational.kit.access import Scope
from operational.kit.db import apply_scope
from operational.kit.events import announce
from tests.operational.monitoring import factories
from tests.operational.monitoring.factories import Place
from tests.operational.stage import NOW, browser


@pytest.fixture(autouse=True)
def connected() -> None:
    handlers.install()


def opened(place: Place, settings: Settings, main: str = "I21.0", **values: Any) -> int:
    """A case of the polyclinic; the session is the polyclinic's afterwards."""
    person = {name: values.pop(name) for name in ("surname", "address", "phone") if name in values}
    patient = place.attached(**person)
    stay = factories.create_stay(place, patient, main, **values)
    told = StayDischarged(stay.id, patient, stay.owner_organisation_id)
    announce(place.session, told, FixedClock(NOW), settings.zone)
    place.at_polyclinic()
    return int(place.cases(patient)[0]["id"])


def client_of(place: Place, settings: Settings, scope: Scope | None = None, **values: Any) -> TestClient:
    """A browser of the scope; the test's session acts for it too."""
    acting = scope or doctor(place)
    apply_scope(place.session, acting)
    return browser(settings, acting, place.session, **values)


def doctor(place: Place) -> Scope:
    rights = frozenset({"signals.read", "signals.work", "patients.read", "home_visits.register"})
    return replace(place.polyclinic, permissions=rights)


def chief(place: Place) -> Scope:
    return replace(
        place.polyclinic, permissions=frozenset({"signals.read", "signals.work", "signals.all"}), practitioner_id=None
    )


def state(place: Place, case: int) -> tuple[Any, ...]:
    found = place.session.execute(
        text("select state, outcome, visited_at, practitioner_id, nurse_id from signal_case where id = :case"),
        {"case": case},
    )
    return tuple(found.one())


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("kk", ("Менің жағдайларым", "Жедел коронарлық синдромнан кейін шыққандар", "Аспирин 75 мг", "Не істеу керек")),
        ("ru", ("Мои случаи", "Выписанные после острого коронарного синдрома", "Аспирин 75 мг", "Что сделать")),
    ],
)
def test_list_and_case_in_both_languages(
    place: Place, settings: Settings, language: str, words: tuple[str, ...]
) -> None:
    case = opened(place, settings, surname="Жанәбіл")
    client = client_of(place, settings, language=language)
    listed = client.get("/signals")
    assert listed.status_code == 200, listed.text
    shown = client.get(f"/signals/{case}")
    assert shown.status_code == 200, shown.text
    assert words[0] in listed.text
    assert "Жанәбіл" in listed.text
    assert words[1] in listed.text and words[1] in shown.text
    assert all(word in shown.text for word in words[2:])
    assert "I21.0" in shown.text
    assert "⟦" not in listed.text + shown.text
    identifiers = re.findall(r'id="([^"]+)"', shown.text)
    assert len(identifiers) == len(set(identifiers))


def test_seeing_a_case_is_delivery_and_audited(place: Place, settings: Settings) -> None:
    case = opened(place, settings)
    stranger = replace(doctor(place), practitioner_id=None)
    client_of(place, settings, stranger).get(f"/signals/{case}")
    assert state(place, case)[0] == "opened"
    client = client_of(place, settings)
    client.get("/signals")
    assert state(place, case)[0] == "delivered"
    client.get(f"/signals/{case}")
    client.get(f"/signals/{case}")
    assert state(place, case)[0] == "seen"
    assert place.told(case) == ["opened", "delivered", "seen"]
    audited = place.session.execute(
        text("select count(*) from audit_event where action = 'signal.opened' and object_id = :case"), {"case": case}
    )
    assert audited.scalar_one() == 3


def test_filters_and_search_by_post(place: Place, settings: Settings) -> None:
    opened(place, settings, surname="Бірінші")
    opened(place, settings, "I61.0", surname="Екінші", discharged_at=NOW - timedelta(days=5))
    client = client_of(place, settings, clock=FixedClock(NOW + timedelta(hours=25)))

    def names(**form: str) -> list[str]:
        answer = client.post("/signals?part=mine", data=form)
        assert answer.status_code == 200
        return re.findall("Бірінші|Екінші", answer.text)

    assert names() == ["Екінші", "Бірінші"]  # by due time
    assert names(sort="due:desc") == ["Бірінші", "Екінші"]
    assert names(rule="SIG-01") == ["Бірінші"]
    assert names(overdue="1") == ["Екінші"]
    assert names(q="екін") == ["Екінші"]
    assert names(state="closed") == []
    assert names(severity="critical") == []
    assert names(**{"from": "23.11.2026"}) == ["Бірінші"]
    assert names(to="20.11.2026") == ["Екінші"]
    assert names(to="99.99.2026") == ["Екінші", "Бірінші"]


def test_queue_is_taken_and_handed_over(place: Place, settings: Settings) -> None:
    place.session.execute(text("update site_assignment set valid_to = '2020-01-01' where duty = 'doctor'"))
    case = opened(place, settings)
    assert state(place, case)[3] is None
    client = client_of(place, settings)
    assert f'href="/signals/{case}"' in client.get("/signals?part=queue").text
    assert f'href="/signals/{case}"' not in client.get("/signals?part=mine").text
    refused = client.post(f"/signals/{case}/note", data={"note": "Қоңырау"})
    assert refused.status_code == 403
    assert client.post(f"/signals/{case}/take").status_code == 303
    assert state(place, case)[3] == place.world["practitioner"]
    assert client.post(f"/signals/{case}/note", data={"note": "Қоңырау"}).status_code == 303
    handed = client.post(f"/signals/{case}/assign", data={"practitioner_id": str(place.nurse_id)})
    assert handed.status_code == 303
    assert state(place, case)[4] == place.nurse_id
    elsewhere = str(place.world["other_practitioner"])
    wrong = client.post(f"/signals/{case}/assign", data={"practitioner_id": elsewhere})
    assert wrong.status_code == 422
    assert "не работает в ответственной организации" in wrong.text


def test_contact_close_and_reopen(place: Place, settings: Settings) -> None:
    case = opened(place, settings)
    client = client_of(place, settings)
    empty = client.post(f"/signals/{case}/contacted", data={"note": ""})
    assert empty.status_code == 422
    assert "Напишите, что сделано" in empty.text
    assert client.post(f"/signals/{case}/contacted", data={"note": "Қызымен сөйлестім"}).status_code == 303
    assert state(place, case)[0] == "contacted"
    system = client.post(f"/signals/{case}/close", data={"outcome": "condition_withdrawn"})
    assert system.status_code == 422
    assert "Выберите исход" in system.text
    assert client.post(f"/signals/{case}/close", data={"outcome": "contacted"}).status_code == 303
    assert state(place, case)[:2] == ("closed", "contacted")
    assert client.post(f"/signals/{case}/note", data={"note": "кеш"}).status_code == 409
    assert client.post(f"/signals/{case}/reopen", data={"reason": "а"}).status_code == 422
    assert client.post(f"/signals/{case}/reopen", data={"reason": "Қате жабылды"}).status_code == 303
    assert state(place, case)[:2] == ("contacted", None)
    assert client.post(f"/signals/{case}/reopen", data={"reason": "Қайтадан"}).status_code == 409


def test_visit_closes_and_its_time_is_checked(place: Place, settings: Settings) -> None:
    case = opened(place, settings)
    client = client_of(place, settings)
    early = client.post(f"/signals/{case}/visited", data={"at": "24.11.2026 11:59"})
    assert early.status_code == 422
    assert "не может быть раньше события" in early.text
    assert client.post(f"/signals/{case}/visited", data={"at": "24.11.2026 15:00"}).status_code == 422
    assert client.post(f"/signals/{case}/visited", data={"at": "шай"}).status_code == 422
    assert client.post(f"/signals/{case}/visited", data={"at": "24.11.2026 13:00"}).status_code == 303
    found = state(place, case)
    assert found[:2] == ("closed", "visited")
    assert found[2] == NOW - timedelta(hours=1)  # 13:00 in Oral


def test_active_is_created_from_the_case(place: Place, settings: Settings) -> None:
    case = opened(place, settings)
    client = client_of(place, settings)
    assert client.post(f"/signals/{case}/active", data={}).status_code == 303
    row = place.session.execute(text("select kind, source, site_id, practitioner_id from home_call")).one()
    assert tuple(row) == ("active", "signal", place.world["site"], place.world["practitioner"])
    assert "Создан актив" in client.get(f"/signals/{case}").text


def test_another_organisation_finds_no_case(place: Place, settings: Settings) -> None:
    case = opened(place, settings)
    client = client_of(place, settings, place.hospital)
    paths = (f"/signals/{case}", f"/signals/{case}/sheet", f"/api/signals/{case}")
    assert [client.get(path).status_code for path in paths] == [404, 404, 404]


def test_without_the_right_nothing_is_shown(place: Place, settings: Settings) -> None:
    case = opened(place, settings)
    nobody = client_of(place, settings, replace(doctor(place), permissions=frozenset()))
    assert nobody.get("/signals").status_code == 403
    reader = client_of(place, settings, replace(doctor(place), permissions=frozenset({"signals.read"})))
    assert reader.get(f"/signals/{case}").status_code == 200
    assert reader.post(f"/signals/{case}/note", data={"note": "Жазба"}).status_code == 403


@pytest.mark.parametrize("language", ["kk", "ru"])
def test_sheet_is_one_page_without_identifiers_in_its_name(place: Place, settings: Settings, language: str) -> None:
    long = "Ұзақ ұсыным. " * 400
    case = opened(place, settings, surname="Жанәбіл", address="Орал қаласы, " * 20, recommendations=long)
    client = client_of(place, settings, language=language)
    for number in range(8):
        client.post(f"/signals/{case}/note", data={"note": f"{number} {'жазба ' * 300}"})
    answer = client.get(f"/signals/{case}/sheet")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/pdf")
    assert answer.headers["content-disposition"] == f'inline; filename="signal-{case}.pdf"'
    document = PdfReader(io.BytesIO(answer.content))
    assert len(document.pages) == 1
    assert "Жанәбіл" in document.pages[0].extract_text()


def test_home_shows_the_urgent_cases_and_the_count(place: Place, settings: Settings) -> None:
    opened(place, settings, surname="Жанәбіл")
    home = client_of(place, settings, clock=FixedClock(NOW + timedelta(days=4))).get("/")
    assert home.status_code == 200, home.text
    assert "Случаи, которые не ждут" in home.text
    assert "Жанәбіл" in home.text
    assert "Просрочено" in home.text
    assert re.search(r'class="tile" href="/signals".*?<span class="tile-count">1</span>', home.text, re.DOTALL)
    assert "Жанәбіл" in client_of(place, settings, chief(place)).get("/").text


def test_card_shows_the_case(place: Place, settings: Settings) -> None:
    from operational.domains.monitoring import timeline

    timeline.register()
    case = opened(place, settings)
    found = place.session.execute(text("select patient_id from signal_case where id = :case"), {"case": case})
    patient: int = found.scalar_one()
    shown = client_of(place, settings, place.polyclinic).get(f"/patients/{patient}")
    assert shown.status_code == 200
    assert f'href="/signals/{case}"' in shown.text
