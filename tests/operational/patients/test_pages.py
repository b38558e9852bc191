"""The register's screens: what is refused stands at its field, what is unsure is asked."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text
from sqlalchemy.orm import Session

from kmis.settings import Settings
from operational.domains.patients import attaching, card, merging, pages, service
from operational.domains.patients.models import Patient
from operational.domains.patients.schemas import AttachmentIn
from operational.kit.access import Scope
from operational.kit.db import apply_scope
from tests.operational.patients.builders import TODAY, form_of, iin_of, registered
from tests.operational.patients.conftest import client_of

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


def _typed(**values: object) -> dict[str, str]:
    form = form_of(**values)
    return {
        "identity_kind": form.identity_kind, "iin": form.iin, "surname": form.surname, "sex": form.sex,
        "given_name": form.given_name, "citizenship": form.citizenship, "document_number": form.document_number,
        "birth_date": f"{form.birth_date:%d.%m.%Y}" if form.birth_date else "",
    }  # fmt: skip


def _id_of(location: str) -> int:
    match = re.fullmatch(r"/patients/(\d+)", location)
    assert match is not None
    return int(match[1])


@pytest.mark.requirement("REG-07")
def test_registration_leads_to_the_card(client: TestClient, session: Session) -> None:
    answer = client.post("/patients/new", data=_typed() | {"earlier_surnames": "Ким, Ли"})
    assert answer.status_code == 303
    patient = service.get(session, _id_of(answer.headers["location"]))
    assert patient.earlier_surnames == ["Ким", "Ли"]
    page = client.get(answer.headers["location"])
    for shown in ("Өмірбек Әлия", patient.iin, f"{patient.birth_date:%d.%m.%Y}", "Не прикреплён"):
        assert str(shown) in page.text
    opened = text("select count(*) from audit_event where action = 'patient.card_opened' and object_id = :id")
    assert session.scalar(opened, {"id": patient.id}) == 1


def test_wrong_iin_stands_at_its_field_with_all_that_was_typed(client: TestClient) -> None:
    answer = client.post("/patients/new", data=_typed(iin="850314300014") | {"phone": "87011234567"})
    assert answer.status_code == 422
    assert re.search(r'id="e-iin"[^>]*>Контрольная цифра', answer.text)
    assert 'value="87011234567"' in answer.text


def test_birth_date_in_the_future_stands_at_its_field(client: TestClient) -> None:
    answer = client.post("/patients/new", data=_typed() | {"birth_date": "25.11.2026"})
    assert answer.status_code == 422
    assert re.search(r'id="e-birth_date"[^>]*>Дата рождения не может быть в будущем', answer.text)


def test_disagreeing_iin_asks_for_a_reason_and_is_listed(client: TestClient) -> None:
    typed = _typed(iin=iin_of(date(1990, 5, 12), "M"), birth_date=date(1990, 6, 12), sex="F")
    asked = client.post("/patients/new", data=typed)
    assert asked.status_code == 422
    assert "По ИИН другая дата рождения" in asked.text
    assert "По ИИН другой пол" in asked.text
    done = client.post("/patients/new", data=typed | {"iin_mismatch_reason": "Так в удостоверении"})
    assert done.status_code == 303
    listed = client.get("/patients/quality").text
    assert "Так в удостоверении" in listed
    assert "По ИИН другой пол" in listed


@pytest.mark.requirement("REG-09")
def test_duplicate_is_asked_about(client: TestClient, session: Session) -> None:
    first = registered(session, birth_date=date(1991, 2, 3))
    typed = _typed(surname="Омирбек", given_name="Алия", birth_date=date(1991, 2, 3))
    asked = client.post("/patients/new", data=typed)
    assert asked.status_code == 422
    assert f'href="/patients/{first.id}"' in asked.text
    assert client.post("/patients/new", data=typed | {"confirm_not_duplicate": "1"}).status_code == 303


@pytest.mark.requirement("REG-09")
def test_existing_record_of_another_organisation_is_offered_and_opened_with_a_reason(
    client: TestClient, session: Session, scope: Scope, world: dict[str, int]
) -> None:
    apply_scope(session, Scope(scope.user_id, frozenset({world["other"]}), home_organisation_id=world["other"]))
    patient = registered(session, surname="Қасымова", birth_date=date(1985, 1, 1))
    apply_scope(session, scope)
    session.expunge_all()
    typed = _typed(surname="Касымова", birth_date=date(1985, 1, 1), iin=patient.iin)
    asked = client.post("/patients/new", data=typed)
    assert asked.status_code == 409
    assert "Қасымова" in asked.text
    assert 'formaction="/patients/open"' in asked.text
    assert client.get(f"/patients/{patient.id}").status_code == 404
    opened = client.post("/patients/open", data=typed | {"open_reason": "Пришла на приём"})
    assert opened.headers["location"] == f"/patients/{patient.id}"
    assert client.get(f"/patients/{patient.id}").status_code == 200


@pytest.mark.requirement("REG-05", "REG-06")
@pytest.mark.parametrize("kind", ["citizen", "foreigner", "without_papers", "unknown", "newborn"])
def test_each_kind_of_identity_has_its_own_form(client: TestClient, kind: str) -> None:
    page = client.get(f"/patients/new?kind={kind}").text
    assert f'name="identity_kind" value="{kind}"' in page
    assert ('name="iin"' in page) == (kind in ("citizen", "foreigner"))
    assert ('name="mother_id"' in page) == (kind == "newborn")
    assert "⟦" not in page


@pytest.mark.requirement("REG-05", "REG-06")
def test_foreigner_and_unknown_person_are_registered(client: TestClient) -> None:
    foreigner = _typed(
        identity_kind="foreigner", surname="Müller", given_name="Jürgen", sex="M", document_number="C01X00T47",
        citizenship="DEU",
    )  # fmt: skip
    assert client.post("/patients/new", data=foreigner).status_code == 303
    unknown = {"identity_kind": "unknown", "citizenship": "XXX", "sex": "U"}
    made = client.post("/patients/new", data=unknown)
    assert made.status_code == 303
    assert "Белгісіз №" in client.get(made.headers["location"]).text


def test_newborn_is_named_after_the_mother(client: TestClient, session: Session) -> None:
    mother = registered(session, surname="Ермекова", given_name="Гүлнар")
    typed = {
        "identity_kind": "newborn", "mother_id": str(mother.id), "birth_order": "2", "birth_date": "23.11.2026",
        "sex": "M",
    }  # fmt: skip
    made = client.post("/patients/new", data=typed)
    page = client.get(made.headers["location"]).text
    assert "Ермекова, ребёнок (мать Ермекова Гүлнар), № 2" in page
    found = client.post("/patients", data={"q": str(mother.iin)}).text
    assert "ребёнок (мать Ермекова Гүлнар)" in found


@pytest.mark.requirement("REG-02")
def test_search_marks_namesakes_and_tells_how_it_read(client: TestClient, session: Session) -> None:
    registered(session, surname="Әлиев", given_name="Асан", sex="M")
    registered(session, surname="Алиев", given_name="Асан", sex="M")
    registered(session, surname="Ұзақова", given_name="Айгүл")
    found = client.post("/patients", data={"q": "алиев"}).text
    assert found.count("Есть тёзка") == 2
    assert found.index("Алиев Асан") < found.index("Әлиев Асан")
    assert "в другой раскладке" in client.post("/patients", data={"q": "Fkbtd"}).text
    assert "похожие имена" in client.post("/patients", data={"q": "Узокова Айгул"}).text
    assert "Никто не найден" in client.post("/patients", data={"q": "Жоқбеков"}).text
    assert "Контрольная цифра" in client.post("/patients", data={"q": "850314300014"}).text


def test_list_is_paged(client: TestClient, session: Session) -> None:
    for _ in range(27):
        registered(session, surname="Сапарова", given_name="Дана")
    assert "1–25 из 27" in client.post("/patients", data={"q": "сапарова"}).text
    assert "26–27 из 27" in client.post("/patients", data={"q": "сапарова", "page": "2"}).text


def test_picker_of_other_blocks_finds_patients(client: TestClient, session: Session) -> None:
    patient = registered(session)
    options = client.post("/patients/options", data={"q": "Омирбек"}).text
    assert f'data-value="{patient.id}"' in options
    assert f"{patient.birth_date:%d.%m.%Y}" in options


def test_merged_records_are_one_card(client: TestClient, session: Session) -> None:
    a, b = registered(session, given_name="Алма"), registered(session, given_name="Дана")
    chosen = client.post(f"/patients/{a.id}/merge/choose", data={"other": str(b.id), "other_text": "Өмірбек Дана"})
    assert chosen.headers["location"] == f"/patients/{a.id}/merge?other={b.id}"
    compared = client.get(chosen.headers["location"]).text
    assert f'name="survivor" value="{a.id}"' in compared
    assert "отличается" in compared
    typed = {"other": str(b.id), "survivor": str(b.id), "reason": "Один человек"}
    refused = client.post(f"/patients/{a.id}/merge", data=typed)
    assert (refused.status_code, "Подтвердите" in refused.text) == (422, True)
    done = client.post(f"/patients/{a.id}/merge", data=typed | {"confirmed": "1"})
    assert done.headers["location"] == f"/patients/{b.id}"
    assert client.get(f"/patients/{a.id}").headers["location"] == f"/patients/{b.id}"
    page = client.get(f"/patients/{b.id}").text
    assert f"№ {a.patient_no} · Өмірбек Алма" in page
    assert f"Запись № {a.patient_no} объединена с записью № {b.patient_no}" in page
    again = client.post(f"/patients/{a.id}/separate", data={"reason": "Разные люди"})
    assert again.headers["location"] == f"/patients/{a.id}"
    assert client.get(f"/patients/{a.id}").status_code == 200


def test_refused_merge_is_told_in_the_form(client: TestClient, session: Session) -> None:
    a, b = registered(session, given_name="Алма"), registered(session, given_name="Дана")
    same = client.get(f"/patients/{a.id}/merge", params={"other": a.id})
    assert (same.status_code, "саму с собой" in same.text) == (409, True)
    nothing = client.post(f"/patients/{a.id}/merge/choose", data={"other": ""})
    assert (nothing.status_code, 'id="e-other"' in nothing.text) == (422, True)
    assert client.post(f"/patients/{a.id}/merge", data={"other": ""}).status_code == 404
    merging.merge(session, a.id, b.id, "Один человек", NOW)
    assert client.get(f"/patients/{b.id}/merge", params={"other": a.id}).status_code == 409


def test_edit_asks_for_a_reason(client: TestClient, session: Session) -> None:
    patient = registered(session)
    page = client.get(f"/patients/{patient.id}/edit").text
    assert f'value="{patient.iin}"' in page
    typed = _typed(iin=patient.iin, birth_date=patient.birth_date, surname="Тоқаева")
    refused = client.post(f"/patients/{patient.id}/edit", data=typed)
    assert (refused.status_code, 'id="e-reason"' in refused.text) == (422, True)
    done = client.post(f"/patients/{patient.id}/edit", data=typed | {"reason": "Свидетельство о браке"})
    assert done.status_code == 303
    session.refresh(patient)
    assert patient.surname == "Тоқаева"


def test_attachment_with_its_history(client: TestClient, session: Session, world: dict[str, int]) -> None:
    patient = registered(session)
    url = f"/patients/{patient.id}/attachment"
    typed = {"site_id": str(world["site"]), "valid_from": "10.01.2026", "reason": "Заявление"}
    assert client.post(url, data=typed).status_code == 303
    refused = client.post(url, data=typed)
    assert (refused.status_code, 'id="e-valid_from"' in refused.text) == (422, True)
    page = client.get(url).text
    assert "10.01.2026" in page
    assert "Заявление" in page


def test_timeline_is_one_order_of_all_sources_with_filter_and_pages(
    client: TestClient, session: Session, world: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    patient = registered(session)
    first_day = AttachmentIn(site_id=world["site"], valid_from=date(2026, 1, 10), reason="Өтініш")
    attaching.attach(session, patient.id, first_day, TODAY)
    monkeypatch.setattr(card, "_sources", {})
    monkeypatch.setattr(card, "_actions", {})
    card.register_timeline_source(_visits(patient))
    card.register_card_action(card.CardAction("patients.edit", "/book?patient={patient_id}", "patients.read"))
    page = client.get(f"/patients/{patient.id}").text
    assert f"/book?patient={patient.id}" in page
    assert "Страница 1 из 2" in page
    assert page.count('class="event ') == 20
    second = client.get(f"/patients/{patient.id}?page=2").text
    assert "visit 0" in second
    assert "Прикреплён к участку" in second
    only = client.get(f"/patients/{patient.id}?kind=attachment").text
    assert only.count('class="event ') == 1


def _visits(patient: Patient) -> card.TimelineSource:
    def entries(session: Session, query: card.TimelineQuery) -> list[card.TimelineEntry]:
        assert query.patient_ids == (patient.id,)
        found = [
            card.TimelineEntry(datetime(2026, 2, 1 + n, tzinfo=UTC), "visit", n, f"visit {n}", url="/visits/1")
            for n in range(22)
        ]
        return list(reversed(found))[: query.limit]

    return card.TimelineSource("visit", "patients.card", "patients.read", entries, lambda *_: 22)


def test_kazakh_screens_have_every_text(session: Session, settings: Settings, scope: Scope) -> None:
    kazakh = client_of(session, settings, scope, language="kk")
    patient = registered(session)
    child = registered(
        session, identity_kind="newborn", surname="", given_name="", mother_id=patient.id, birth_order=1,
        birth_date=date(2026, 9, 1),
    )  # fmt: skip
    paths = [
        "/patients", "/patients/quality", "/patients/new", f"/patients/{patient.id}", f"/patients/{child.id}",
        f"/patients/{patient.id}/edit", f"/patients/{patient.id}/attachment", f"/patients/{patient.id}/merge",
        f"/patients/{patient.id}/merge?other={child.id}",
    ]  # fmt: skip
    for path in paths:
        answer = kazakh.get(path)
        assert answer.status_code == 200, path
        assert "⟦" not in answer.text, path
    assert "2 айлық" in kazakh.get(f"/patients/{child.id}").text


def test_no_form_of_the_register_puts_what_was_typed_into_an_address() -> None:
    for template in sorted((Path(pages.__file__).parent / "templates").glob("*.html")):
        for tag in re.findall(r"<form[^>]*>", template.read_text(encoding="utf-8")):
            assert 'method="post"' in tag, template.name


def test_log_holds_no_identifier(client: TestClient, session: Session, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    patient = registered(session, surname="Құпияев", given_name="Сыр", sex="M")
    typed = _typed(surname="Құпияев", given_name="Сыр", iin=patient.iin, birth_date=patient.birth_date, sex="M")
    client.post("/patients/new", data=typed)
    client.post("/patients/new", data=typed | {"iin": "850314300014"})
    client.post("/patients", data={"q": str(patient.iin)})
    client.get(f"/patients/{patient.id}")
    client.post("/api/patients", json={"iin": patient.iin, "surname": "Құпияев"})
    assert caplog.records
    for record in caplog.records:
        assert str(patient.iin) not in record.getMessage()
        assert "Құпияев" not in record.getMessage()
