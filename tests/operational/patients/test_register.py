"""Registration and correction: what is refused, what is asked to be confirmed, what is stored."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from kmis import iin
from operational.domains.patients import errors, repository, service
from operational.domains.patients.models import Patient
from operational.domains.patients.schemas import Edit
from operational.kit.errors import FieldErrors, Required
from tests.operational.patients.builders import TODAY, form_of, iin_of, registered


@pytest.mark.requirement("REG-07", "REG-08")
def test_registered_person_is_stored_with_a_number_of_the_register(session: Session) -> None:
    first = registered(session, phone="8 701 123 45 67", address="Қаратөбе, Абай к., 1", document_number="n 1234567")
    second = registered(session, surname="Әлиев", given_name="Асан", sex="M")
    session.expire_all()
    stored = service.get(session, first.id)
    assert (stored.surname, stored.given_name, stored.sex) == ("Өмірбек", "Әлия", "F")
    assert (stored.phone, stored.document_number) == ("+77011234567", "N1234567")
    assert stored.name_key == " omirbek alia"
    assert second.patient_no == first.patient_no + 1
    audited = session.execute(
        text("select action, detail::text from audit_event where object_id = :id"), {"id": first.id}
    ).one()
    assert audited[0] == "patient.registered"
    assert first.iin is not None
    assert first.iin not in audited[1]
    assert "Өмірбек" not in audited[1]


def test_wrong_check_digit_is_refused_at_the_field_and_by_the_database(session: Session) -> None:
    right = iin_of(date(1990, 1, 1), "F")
    wrong = f"{right[:-1]}{(int(right[-1]) + 1) % 10}"
    with pytest.raises(errors.IinCheckDigitWrong) as caught:
        service.register(session, form_of(iin=wrong, birth_date=date(1990, 1, 1)), TODAY)
    assert caught.value.field == "iin"
    patient = registered(session)
    with pytest.raises(IntegrityError, match="ck_patient_iin"), session.begin_nested():
        session.execute(text("update patient set iin = :iin where id = :id"), {"iin": wrong, "id": patient.id})


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"iin": ""}, "iin"),
        ({"iin": "123"}, "iin"),
        ({"surname": ""}, "surname"),
        ({"given_name": "Әлия2"}, "given_name"),
        ({"birth_date": date(2026, 11, 25)}, "birth_date"),
        ({"birth_date": date(1879, 12, 31), "iin": "850314300013"}, "birth_date"),
        ({"death_date": date(2026, 11, 25)}, "death_date"),
        ({"birth_date": date(2000, 1, 2), "death_date": date(2000, 1, 1)}, "death_date"),
        ({"phone": "12"}, "phone"),
        ({"sex": "U", "iin": "850314300013"}, "sex"),
        ({"identity_kind": "foreigner"}, "document_number"),
        ({"identity_kind": "newborn", "birth_order": 1}, "mother_id"),
    ],
)
def test_refused_at_the_field(session: Session, values: dict[str, object], field: str) -> None:
    found = service.review(session, form_of(**values), TODAY).errors
    assert [error.field for error in found] == [field]


def test_several_refusals_come_at_once(session: Session) -> None:
    with pytest.raises(FieldErrors) as caught:
        service.register(session, form_of(surname="", given_name="", iin="1"), TODAY)
    assert {error.field for error in caught.value.errors} == {"surname", "given_name", "iin"}


def test_database_refuses_a_birth_date_in_the_future(session: Session) -> None:
    patient = registered(session)
    with pytest.raises(IntegrityError, match="birth_date_not_future"), session.begin_nested():
        session.execute(text("update patient set birth_date = '2999-01-01' where id = :id"), {"id": patient.id})


def test_disagreeing_iin_is_confirmed_with_a_reason_and_listed(session: Session) -> None:
    of_a_man = iin_of(date(1990, 5, 12), "M")
    form = form_of(iin=of_a_man, birth_date=date(1990, 6, 12), sex="F")
    with pytest.raises(errors.IinMismatchUnconfirmed) as caught:
        service.register(session, form, TODAY)
    assert caught.value.facts == ("birth_date", "sex")
    form.iin_mismatch_reason = "Құжатта солай жазылған"
    patient = service.register(session, form, TODAY)
    rows, total = repository.iin_mismatches(session, offset=0, limit=10)
    assert total == 1
    assert rows == [patient]
    assert patient.iin_mismatch_reason == "Құжатта солай жазылған"


def test_reason_is_not_kept_when_nothing_disagrees(session: Session) -> None:
    assert registered(session, iin_mismatch_reason="артық").iin_mismatch_reason is None


@pytest.mark.requirement("REG-09")
def test_same_iin_is_one_person(session: Session) -> None:
    patient = registered(session)
    with pytest.raises(errors.PatientExists) as caught:
        service.register(session, form_of(iin=patient.iin, birth_date=patient.birth_date), TODAY)
    assert caught.value.patient_id == patient.id
    assert patient.iin is not None
    assert patient.iin not in str(caught.value)


@pytest.mark.requirement("REG-09")
def test_database_keeps_an_iin_unique_among_live_records(session: Session) -> None:
    first, second = registered(session), registered(session)
    with pytest.raises(IntegrityError, match="uq_patient_iin"), session.begin_nested():
        session.execute(text("update patient set iin = :iin where id = :id"), {"iin": first.iin, "id": second.id})


@pytest.mark.requirement("REG-09")
def test_same_name_and_birth_date_is_confirmed(session: Session) -> None:
    born = date(1991, 2, 3)
    first = registered(session, birth_date=born)
    form = form_of(surname="Омирбек", given_name="Алия", birth_date=born)
    with pytest.raises(errors.PossibleDuplicates) as caught:
        service.register(session, form, TODAY)
    assert caught.value.patient_ids == (first.id,)
    form.confirm_not_duplicate = True
    assert service.register(session, form, TODAY).id != first.id


@pytest.mark.requirement("REG-04", "REG-05")
def test_foreigner_by_the_document(session: Session) -> None:
    patient = registered(
        session, identity_kind="foreigner", surname="Müller", given_name="Jürgen", sex="M",
        document_number="c01x00t47", citizenship="DEU",
    )  # fmt: skip
    assert (patient.iin, patient.document_number, patient.citizenship) == (None, "C01X00T47", "DEU")
    assert service.search(session, "c01x00t47", TODAY).patients == [patient]


@pytest.mark.requirement("REG-06")
def test_person_without_papers_and_unknown_person(session: Session) -> None:
    without = registered(session, identity_kind="without_papers", birth_date=None)
    unknown = service.register(
        session, form_of(identity_kind="unknown", surname="", given_name="", birth_date=None, sex="U"), TODAY
    )
    assert (without.birth_date, unknown.surname, unknown.sex) == (None, "Белгісіз", "U")


def test_newborn_stands_under_the_mother(session: Session) -> None:
    mother = registered(session, surname="Ермекова", given_name="Гүлнар")
    form = form_of(
        identity_kind="newborn", surname="", given_name="", sex="M", birth_date=date(2026, 11, 23),
        mother_id=mother.id, birth_order=1,
    )  # fmt: skip
    child = service.register(session, form, TODAY)
    assert (child.surname, child.given_name, child.iin, child.mother_id) == ("Ермекова", "", None, mother.id)
    assert mother.iin is not None
    found = service.search(session, mother.iin, TODAY)
    assert {patient.id for patient in found.patients} == {mother.id, child.id}
    assert found.mothers == {mother.id: mother}
    with pytest.raises(errors.NewbornExists):
        service.register(session, form, TODAY)
    named = service.edit(
        session, child.id,
        Edit(
            identity_kind="citizen", iin=iin_of(date(2026, 11, 23), "M"), surname="Ермеков", given_name="Нұрлан",
            birth_date=date(2026, 11, 23), sex="M", reason="Туу туралы куәлік",
        ),
        TODAY,
    )  # fmt: skip
    assert (named.identity_kind, named.mother_id) == ("citizen", None)


def test_edit_keeps_the_reason_beside_the_change(session: Session) -> None:
    patient = registered(session)
    form = Edit.model_validate(_form(patient) | {"surname": "Тоқаева", "earlier_surnames": ["Өмірбек"]})
    with pytest.raises(errors.ReasonRequired):
        service.edit(session, patient.id, form, TODAY)
    session.refresh(patient)
    form.reason = "Неке туралы куәлік"
    service.edit(session, patient.id, form, TODAY)
    assert patient.name_key == " tokaeva alia omirbek"
    assert service.search(session, "Омирбек", TODAY).patients == [patient]
    reason = session.scalar(
        text("select reason from audit_event where object_id = :id and action = 'patient.edited'"),
        {"id": patient.id},
    )
    assert reason == "Неке туралы куәлік"


def test_edit_refuses_anothers_iin(session: Session) -> None:
    first, second = registered(session), registered(session, given_name="Айгүл")
    form = Edit.model_validate(_form(second) | {"iin": first.iin, "birth_date": first.birth_date, "reason": "Түзету"})
    with pytest.raises(errors.PatientExists):
        service.edit(session, second.id, form, TODAY)


def test_unknown_key_is_not_found(session: Session) -> None:
    with pytest.raises(errors.PatientNotFound):
        service.get(session, 0)


def test_errors_of_an_iin_have_each_a_refusal() -> None:
    for error in (iin.IinNotTwelveDigits, iin.IinCheckDigitWrong, iin.IinNotAssignable):
        assert errors.refusal_of(error()).message_key == error.message_key
    assert Required("surname").field == "surname"


def _form(patient: Patient) -> dict[str, object]:
    return {
        "identity_kind": patient.identity_kind, "iin": patient.iin, "surname": patient.surname,
        "given_name": patient.given_name, "birth_date": patient.birth_date, "sex": patient.sex,
    }  # fmt: skip
