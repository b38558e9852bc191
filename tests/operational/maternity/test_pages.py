"""Screens of pregnancies in both languages: the whole way, refusals at their fields, who may do what."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from kmis.settings import Settings
from operational.domains.maternity import repository, ruleset
from operational.domains.patients import card
from operational.kit.access import Scope
from operational.kit.db import apply_scope
from tests.operational.maternity.factories import TODAY, create_pregnancy, create_visit, create_woman, grant_access
from tests.operational.maternity.test_births import AT_TERM
from tests.operational.maternity.test_pregnancies import other_scope
from tests.operational.stage import browser

FORM = {"last_menstrual_date": "01.09.2026", "gravida": "1", "para": "0", "height_cm": "170",
        "weight_before_kg": "62,5"}  # fmt: skip


@pytest.fixture
def client(session: Session, settings: Settings, scope: Scope) -> TestClient:
    return browser(settings, scope, session)


@pytest.mark.requirement("PREG-04")
@pytest.mark.requirement("PREG-05")
@pytest.mark.parametrize(
    ("language", "words"),
    [("kk", ("Келулер жоспары", "12 апта 0 күн", "Мерзімі келді")), ("ru", ("План явок", "12 нед. 0 дн.", "Пора"))],
)
def test_the_way_of_a_pregnancy(
    session: Session, settings: Settings, scope: Scope, language: str, words: tuple[str, ...]
) -> None:
    client = browser(settings, scope, session, language=language)
    woman = create_woman(session)
    assert client.get("/pregnancies/new").status_code == 200
    chosen = client.post("/pregnancies/choose", data={"patient_id": str(woman.id), "patient_id_text": "Өмірбек"})
    assert chosen.headers["location"] == f"/pregnancies/new?patient={woman.id}"
    assert client.get(chosen.headers["location"]).status_code == 200
    made = client.post(
        "/pregnancies/new", data={"patient_id": woman.id, **FORM, "factors": ["uterine_scar", "diabetes"]}
    )
    assert made.status_code == 303, made.text
    url = made.headers["location"]
    page = client.get(url)
    assert page.status_code == 200
    for word in words:
        assert word in page.text
    visit = {"visited_at": "24.11.2026 10:00", "visit_no": "1", "weight_kg": "63,2", "systolic": "150",
             "diastolic": "95", "fundal_height_cm": "12"}  # fmt: skip
    assert client.post(f"{url}/visits", data=visit).status_code == 303
    shown = client.get(url).text
    assert ("Қысымы жоғары" if language == "kk" else "Высокое давление") in shown
    assert shown.count("<svg viewBox") == 3
    assert "style=" not in shown
    paper = client.get(f"{url}/print")
    assert paper.status_code == 200
    assert "150/95" in paper.text
    listed = client.post("/pregnancies", data={"q": woman.surname, "risk": "high"})
    assert f'href="{url}"' in listed.text
    assert url not in client.post("/pregnancies", data={"q": woman.surname, "trimester": "3"}).text
    assert client.get("/pregnancies").status_code == 200


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"last_menstrual_date": "25.11.2026"}, "позже постановки на учёт"),
        ({"last_menstrual_date": "01.01.2026"}, "больше 320 дней"),
        ({"last_menstrual_date": ""}, "Заполните"),
        ({"height_cm": "900"}, "Недопустимое"),
        ({"para": "4"}, "не согласуется"),
    ],
)
def test_refusals_stand_at_their_fields(
    client: TestClient, session: Session, change: dict[str, str], message: str
) -> None:
    woman = create_woman(session)
    answer = client.post("/pregnancies/new", data={"patient_id": str(woman.id), **FORM, **change})
    assert answer.status_code == 422
    field = next(iter(change))
    found = re.search(rf'id="e-{field}"[^>]*>([^<]+)<', answer.text)
    assert found is not None
    assert message in found.group(0)


def test_a_man_is_refused(client: TestClient, session: Session) -> None:
    man = create_woman(session, sex="M")
    answer = client.post("/pregnancies/new", data={"patient_id": str(man.id), **FORM})
    assert (answer.status_code, "только женщине" in answer.text) == (422, True)


def test_open_elsewhere_is_offered_and_taken_over(
    session: Session, settings: Settings, scope: Scope, world: dict[str, int]
) -> None:
    woman = create_woman(session)
    pregnancy = create_pregnancy(session, woman)
    create_visit(session, pregnancy, visit_no=1, conclusion="Бәрі қалыпты")
    new = other_scope(scope, world)
    apply_scope(session, new)
    grant_access(session, woman.id, world["other"])
    session.expire_all()
    client = browser(settings, new, session)
    form = client.get(f"/pregnancies/new?patient={woman.id}").text
    assert "Организация polyclinic" in form
    assert 'name="last_menstrual_date"' not in form
    answer = client.post("/pregnancies/new", data={"patient_id": str(woman.id), **FORM})
    assert (answer.status_code, "Принять вместе с историей" in answer.text) == (409, True)
    url = f"/pregnancies/{pregnancy.id}"
    assert "можно только читать" in client.get(url).text
    refused = client.post(f"{url}/visits", data={"visited_at": "24.11.2026 10:00"})
    assert (refused.status_code, "вы не можете писать" in refused.text) == (403, True)
    no_reason = client.post(f"{url}/take-over?patient={woman.id}", data={"reason": "x"})
    assert (no_reason.status_code, 'id="e-reason"' in no_reason.text) == (422, True)
    taken = client.post(f"{url}/take-over?patient={woman.id}", data={"reason": "Переехала"})
    assert taken.headers["location"] == url
    page = client.get(url).text
    assert "Бәрі қалыпты" in page
    assert "Переехала" in page
    assert 'name="visited_at"' in page


def test_corrections_and_end_on_the_page(client: TestClient, session: Session) -> None:
    pregnancy = create_pregnancy(session)
    visit = create_visit(session, pregnancy, visit_no=1)
    url = f"/pregnancies/{pregnancy.id}"
    assert client.get(f"{url}/visits/{visit.id}/edit").status_code == 200
    wrong = client.post(
        f"{url}/visits/{visit.id}/edit", data={"systolic": "80", "diastolic": "90", "reason": "опечатка"}
    )
    assert (wrong.status_code, 'id="e-diastolic"' in wrong.text) == (422, True)
    right = {"visit_no": "1", "systolic": "110", "diastolic": "70", "reason": "опечатка"}
    assert client.post(f"{url}/visits/{visit.id}/edit", data=right).status_code == 303
    assert client.get(f"{url}/edit").status_code == 200
    assert client.post(f"{url}/edit", data={**FORM, "reason": "по УЗИ"}).status_code == 303
    assert client.post(f"{url}/factors", data={"factor_code": "diabetes"}).status_code == 303
    factor = repository.factors(session, pregnancy.id)[0]
    assert client.post(f"{url}/factors/{factor.id}/remove").status_code == 303
    assert client.post(f"{url}/visits/{visit.id}/void", data={"reason": "не та женщина"}).status_code == 303
    assert client.post(f"{url}/visits/{visit.id}/restore").status_code == 303
    late = client.post(f"{url}/end", data={"ended_on": "25.11.2026", "outcome": "missed"})
    assert (late.status_code, "Дата завершения лежит" in late.text) == (422, True)
    assert client.post(f"{url}/end", data={"ended_on": "24.11.2026", "outcome": "missed"}).status_code == 303
    assert "Неразвивающаяся" in client.get(url).text
    assert client.post(f"{url}/reopen", data={"reason": "ошибка"}).status_code == 303
    assert client.post(f"{url}/void", data={"reason": "ошибка"}).status_code == 303
    assert client.post(f"{url}/restore", data={"reason": "верно было"}).status_code == 303


@pytest.mark.requirement("PREG-07")
@pytest.mark.parametrize("language", ["kk", "ru"])
def test_birth_on_the_screen(session: Session, settings: Settings, scope: Scope, language: str) -> None:
    client = browser(settings, scope, session, language=language)
    woman = create_woman(session)
    pregnancy = create_pregnancy(session, woman, last_menstrual_date=AT_TERM)
    assert client.get(f"/births/new?patient={woman.id}").status_code == 200
    form = {"patient_id": str(woman.id), "born_at": "24.11.2026 09:10", "sex": "F", "weight_g": "2600",
            "plurality": "2", "birth_order": "1", "register_child_flag": "1"}  # fmt: skip
    wrong = client.post("/births/new", data={**form, "birth_order": "3"})
    assert (wrong.status_code, 'id="e-birth_order"' in wrong.text) == (422, True)
    first = client.post("/births/new", data=form)
    assert first.headers["location"] == f"/births/new?patient={woman.id}"
    assert 'value="2"' in client.get(first.headers["location"]).text
    second = client.post("/births/new", data={**form, "birth_order": "2", "born_at": "24.11.2026 09:25"})
    page = client.get(second.headers["location"])
    assert page.status_code == 200
    assert "/patients/" in page.text
    assert client.get(f"/pregnancies/{pregnancy.id}").text.count("/births/") >= 2
    key = second.headers["location"]
    assert client.post(f"{key}/void", data={"reason": "қате"}).status_code == 303


def test_rights(session: Session, settings: Settings, scope: Scope) -> None:
    pregnancy = create_pregnancy(session)
    reader = browser(settings, replace(scope, permissions=frozenset({"maternity.read", "patients.read"})), session)
    url = f"/pregnancies/{pregnancy.id}"
    assert reader.get(url).status_code == 200
    assert 'name="visited_at"' not in reader.get(url).text
    for path in ("/visits", "/factors", "/end", "/void", "/take-over"):
        assert reader.post(url + path).status_code == 403
    assert reader.get("/births/new?patient=1").status_code == 403
    nobody = browser(settings, replace(scope, permissions=frozenset({"patients.read"})), session)
    assert nobody.get("/pregnancies").status_code == 403


def test_unknown_addresses(client: TestClient) -> None:
    for path in ("/pregnancies/0", "/pregnancies/new?patient=x", "/births/0", "/births/new?patient=0"):
        assert client.get(path).status_code == 404, path


@pytest.mark.parametrize("sort", ["due", "patient:desc", "registered", "risk", "last:desc", "overdue:desc", "nonsense"])
def test_list_sorts_and_filters(client: TestClient, session: Session, sort: str) -> None:
    woman = create_woman(session, surname="Жүктібекова")
    create_pregnancy(session, woman, last_menstrual_date=AT_TERM)
    data = {"sort": sort, "q": "Жүктібекова", "trimester": "3", "leader": "all", "state": "open", "site": "999999"}
    assert "Такой" not in client.post("/pregnancies", data=data).text
    assert "Жүктібекова</b>" not in client.post("/pregnancies", data=data).text
    assert "Жүктібекова" in client.post("/pregnancies", data={**data, "site": ""}).text


@pytest.mark.parametrize("days", [0, 97, 98, 195, 196, 280])
def test_trimester_filter_agrees_with_the_rule(client: TestClient, session: Session, days: int) -> None:
    lmp = TODAY - timedelta(days=days)
    url = f'href="/pregnancies/{create_pregnancy(session, last_menstrual_date=lmp).id}"'
    shown = [n for n in (1, 2, 3) if url in client.post("/pregnancies", data={"trimester": str(n)}).text]
    assert shown == [ruleset.trimester(lmp, TODAY)]


def test_overdue_filter_finds_the_missed(client: TestClient, session: Session) -> None:
    woman = create_woman(session, surname="Келмегенова")
    pregnancy = create_pregnancy(session, woman, registered_on="2026-10-01", last_menstrual_date="2026-07-01")
    asked = {"q": "Келмегенова", "overdue": "1"}
    assert "Пропущено: 2" in client.post("/pregnancies", data=asked).text
    create_visit(session, pregnancy, visit_no=1)
    create_visit(session, pregnancy, visit_no=2)
    assert f"/pregnancies/{pregnancy.id}" not in client.post("/pregnancies", data=asked).text


def test_card_shows_it_all(session: Session, settings: Settings, scope: Scope) -> None:
    from operational.domains.maternity import timeline

    timeline.register()
    pregnancy = create_pregnancy(session)
    create_visit(session, pregnancy, systolic=120, diastolic=80)
    query = card.TimelineQuery((pregnancy.patient_id,), "kk", "Asia/Oral", 20)
    shown = card.timeline(session, query, scope.permissions, kinds=["pregnancy"])
    assert [entry.title for entry in shown.entries] == ["Жүкті әйелдің келуі", "Жүктілік бойынша есепке алынды"]
    assert shown.counts["pregnancy"] == 2
