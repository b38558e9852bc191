"""What is refused: by the forms with a message at the field, and by the database itself."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from kmis.settings import Settings
from operational.domains.inpatient.schemas import Measure
from operational.domains.patients import dying
from operational.domains.patients.schemas_death import RegisterDeath
from operational.kit.access import Scope
from operational.kit.db import apply_scope
from operational.kit.errors import constraint_of
from tests.factories import LONG_AGO
from tests.operational.inpatient.factories import (
    ADMITTED,
    ARRIVED,
    NOW,
    OPERATION,
    ORAL,
    Hospital,
    admission_of,
    create_discharged,
    create_presentation,
    create_stay,
    discharge_of,
    stays_of,
)
from tests.operational.patients.builders import registered
from tests.operational.stage import browser

# A group of radio buttons has no single control, so its message bears no name.
ERROR = re.compile(r'class="field-error"(?: id="e-([\w-]+)")?[^>]*>([^<]+)<')
DISCHARGE = {"outcome": "discharged", "treatment_result": "improvement", "icd10_code": "I10", "epicrisis": "Эпикриз"}


def refused(answer: Any, status: int, field: str, said: str) -> None:
    """The form came back with the message at its field."""
    assert answer.status_code == status, answer.status_code
    found = dict(ERROR.findall(answer.text))
    assert said in (found.get(field) or found.get("") or ""), found


def refusal_of(session: Session, statement: str, **values: Any) -> str:
    """The constraint by which the database refuses the statement."""
    with pytest.raises(IntegrityError) as caught, session.begin_nested():
        session.execute(text(statement), values)
        session.execute(text("set constraints all immediate"))
    return constraint_of(caught.value)


def local(at: Any) -> str:
    return f"{at.astimezone(ORAL):%Y-%m-%dT%H:%M}"


Bad = tuple[str, dict[str, str], int, str, str, str]
FORMS: dict[str, Callable[[Hospital], Bad]] = {
    "discharge before admission": lambda h: (
        "discharge", DISCHARGE | {"discharged_at": local(ADMITTED - timedelta(minutes=1))}, 422, "discharged_at",
        "Выписка не может быть раньше поступления", "Шығару жатқызудан ерте бола алмайды"),
    "discharge before what was written": lambda h: (
        "discharge", DISCHARGE | {"discharged_at": local(ADMITTED + timedelta(minutes=1))}, 422, "discharged_at",
        "есть записи", "жазбалар бар"),
    "discharge in the future": lambda h: (
        "discharge", DISCHARGE | {"discharged_at": local(NOW + timedelta(hours=1))}, 422, "discharged_at",
        "в будущем", "болашақта"),
    "transfer to nowhere": lambda h: (
        "discharge", DISCHARGE | {"outcome": "transferred"}, 422, "target_organisation_id", "Выберите принимающую",
        "Қабылдайтын ұйымды"),
    "death with improvement": lambda h: (
        "discharge", DISCHARGE | {"outcome": "died"}, 422, "treatment_result", "противоречат", "қайшы"),
    "unknown final diagnosis": lambda h: (
        "discharge", DISCHARGE | {"icd10_code": "Q99.99"}, 422, "icd10_code", "нет такого кода", "мұндай код жоқ"),
    "movement before the admission": lambda h: (
        "move", {"started_at": local(ADMITTED - timedelta(hours=1)), "department_id": str(h.intensive),
                 "bed_profile": "intensive_care"}, 422, "started_at", "между поступлением", "аралығында"),
    "movement in the future": lambda h: (
        "move", {"started_at": local(NOW + timedelta(hours=1)), "department_id": str(h.intensive),
                 "bed_profile": "intensive_care"}, 422, "started_at", "в будущем", "болашақта"),
    "movement into a taken bed": lambda h: (
        "move", {"started_at": local(NOW), "department_id": str(h.surgery), "bed_profile": "surgical", "bed": "9"},
        409, "bed", "лежит другой пациент", "басқа пациент жатыр"),
    "movement to another organisation's department": lambda h: (
        "move", {"started_at": local(NOW), "department_id": "0", "bed_profile": "surgical"}, 422, "department_id",
        "не относится", "жатпайды"),
    "operation before the admission": lambda h: (
        "operation", operation(h, ADMITTED - timedelta(hours=1)), 422, "started_at", "между поступлением",
        "аралығында"),
    "operation that ends before it starts": lambda h: (
        "operation", operation(h, NOW - timedelta(hours=3)) | {"ended_at": local(NOW - timedelta(hours=4))}, 422,
        "ended_at", "раньше начала", "басталуынан ерте"),
    "unknown operation": lambda h: (
        "operation", operation(h, NOW) | {"operation_code": "999"}, 422, "operation_code", "нет такой операции",
        "мұндай операция жоқ"),
    "surgeon of another organisation": lambda h: (
        "operation", operation(h, NOW) | {"surgeon_id": "999999"}, 422, "surgeon_id", "не работает",
        "жұмыс істемейді"),
    "transfusion before the admission": lambda h: (
        "transfusion", blood(h, ADMITTED - timedelta(hours=1)), 422, "started_at", "между поступлением",
        "аралығында"),
    "transfusion of nothing": lambda h: (
        "transfusion", blood(h, NOW) | {"volume_ml": "0"}, 422, "volume_ml", "", ""),
    "reaction without a word": lambda h: (
        "transfusion", blood(h, NOW) | {"reaction_flag": "1"}, 422, "reaction_note", "Опишите", "сипаттаңыз"),
    "measured before the admission": lambda h: (
        "sheet", {"measured_at": local(ADMITTED - timedelta(hours=1)), "pulse": "80"}, 422, "measured_at",
        "между поступлением", "аралығында"),
    "nothing measured": lambda h: (
        "sheet", {"measured_at": local(NOW)}, 422, "temperature", "хотя бы один", "Кемінде бір"),
    "pressure upside down": lambda h: (
        "sheet", {"measured_at": local(NOW), "systolic": "70", "diastolic": "120"}, 422, "diastolic", "меньше нижнего",
        "кем болмауы"),
    "half a pressure": lambda h: (
        "sheet", {"measured_at": local(NOW), "systolic": "120"}, 422, "diastolic", "вместе", "бірге"),
    "temperature of nobody": lambda h: (
        "sheet", {"measured_at": local(NOW), "temperature": "54"}, 422, "temperature", "", ""),
    "second main diagnosis": lambda h: (
        "diagnose", {"phase": "admission", "rank": "main", "icd10_code": "I10"}, 409, "rank", "уже есть",
        "диагноз бар"),
    "the same diagnosis twice": lambda h: (
        "diagnose", {"phase": "admission", "rank": "comorbid", "icd10_code": "J06.9"}, 409, "icd10_code", "уже есть",
        "осы кезеңде бар"),
}  # fmt: skip


def operation(hospital: Hospital, at: Any) -> dict[str, str]:
    return {"operation_code": OPERATION, "started_at": local(at), "surgeon_id": str(hospital.doctor),
            "urgency": "urgent", "anaesthesia": "local"}  # fmt: skip


def blood(hospital: Hospital, at: Any) -> dict[str, str]:
    return {"component": "plasma", "volume_ml": "250", "blood_group": "O", "rhesus": "+", "unit_number": "1",
            "indication": "Коагулопатия", "started_at": local(at), "practitioner_id": str(hospital.doctor)}  # fmt: skip


@pytest.mark.parametrize("case", FORMS)
def test_form_of_a_stay_is_refused_at_its_field(
    client: TestClient, kazakh: TestClient, session: Session, hospital: Hospital, case: str
) -> None:
    create_stay(session, hospital, bed="9")
    stay = create_stay(session, hospital)
    stays_of(session).measure(stay.id, Measure(measured_at=NOW - timedelta(hours=10), pulse=80))
    address, data, status, field, russian, in_kazakh = FORMS[case](hospital)
    refused(client.post(f"/stays/{stay.id}/{address}", data=data), status, field, russian)
    refused(kazakh.post(f"/stays/{stay.id}/{address}", data=data), status, field, in_kazakh)


def arrival(hospital: Hospital, patient: int, **values: Any) -> dict[str, Any]:
    return {"patient_id": patient, "department_id": hospital.admission, "admission_type": "emergency",
            "arrived_at": local(NOW), "arrival_channel": "self"} | values  # fmt: skip


def test_arrival_in_the_future_or_twice(client: TestClient, session: Session, hospital: Hospital) -> None:
    patient = registered(session)
    late = arrival(hospital, patient.id, arrived_at=local(NOW + timedelta(hours=1)))
    refused(client.post("/admission/new", data=late), 422, "arrived_at", "в будущем")
    create_presentation(session, hospital, patient)
    answer = client.post("/admission/new", data=arrival(hospital, patient.id))
    assert answer.status_code == 409 and "уже зарегистрирован в приёмном отделении" in answer.text
    nonsense = client.post("/admission/new", data=arrival(hospital, patient.id, arrived_at="вчера"))
    refused(nonsense, 422, "arrived_at", "")


def test_decision_before_the_arrival(client: TestClient, session: Session, hospital: Hospital) -> None:
    row = create_presentation(session, hospital)
    before = local(ARRIVED - timedelta(minutes=1))
    data = {"decided_at": before, "refusal_reason": "no_indication"}
    refused(client.post(f"/admission/{row.id}/decide/refused", data=data), 422, "decided_at", "раньше обращения")
    refused(client.post(f"/admission/{row.id}/seen", data={"seen_at": before}), 422, "seen_at", "раньше обращения")
    data = {"admitted_at": before, "department_id": str(hospital.surgery), "bed_profile": "surgical",
            "practitioner_id": str(hospital.doctor), "icd10_code": "I10"}  # fmt: skip
    refused(client.post(f"/admission/{row.id}/admit", data=data), 422, "admitted_at", "раньше обращения")
    without = client.post(f"/admission/{row.id}/decide/refused", data={"decided_at": local(NOW)})
    refused(without, 422, "refusal_reason", "Выберите причину")


def test_second_stay_also_in_another_organisation(
    session: Session, settings: Settings, scope: Scope, hospital: Hospital, world: dict[str, int]
) -> None:
    """The second hospital does not see the first stay, and is refused by the exclusion constraint."""
    patient = registered(session)
    create_stay(session, hospital, patient)
    other = replace(
        scope, user_id=world["other_user"], organisation_ids=frozenset({world["other"]}),
        home_organisation_id=world["other"], practitioner_id=world["other_practitioner"],
    )  # fmt: skip
    apply_scope(session, other)
    session.execute(
        text("select kmis_open_person(:patient, :organisation, 'жедел жәрдем')"),
        {"patient": patient.id, "organisation": world["other"]},
    )
    departments: list[int] = [
        session.execute(
            text("insert into department (organisation_id, code, kind, name_kk, name_ru, valid_from)"
                 " values (:o, :k, :k, 'Бөлімше', 'Отделение', :d) returning id"),
            {"o": world["other"], "k": kind, "d": LONG_AGO},
        ).scalar_one()
        for kind in ("admission", "therapeutic")
    ]  # fmt: skip
    client = browser(settings, other, session)
    answer = client.post("/admission/new", data=arrival(hospital, patient.id, department_id=departments[0]))
    key = answer.headers["location"].rpartition("/")[2]
    admitted = client.post(f"/admission/{key}/admit", data={
        "admitted_at": local(NOW), "department_id": departments[1], "bed_profile": "therapeutic",
        "practitioner_id": world["other_practitioner"], "icd10_code": "I10",
    })  # fmt: skip
    refused(admitted, 409, "admitted_at", "в этом или другом стационаре")


def test_event_after_the_death(client: TestClient, session: Session, hospital: Hospital) -> None:
    stay = create_discharged(session, hospital)
    wanted = RegisterDeath(
        patient_id=stay.patient_id, died_at=NOW - timedelta(minutes=30), place="home", underlying_icd10="I10"
    )
    dying.register_death(session, admission_of(session).clock, ORAL, wanted)
    answer = client.post("/admission/new", data=arrival(hospital, stay.patient_id))
    assert answer.status_code == 303  # a doctor may certify the death in the admission department
    key = answer.headers["location"].rpartition("/")[2]
    admitted = client.post(f"/admission/{key}/admit", data={
        "admitted_at": local(NOW), "department_id": hospital.surgery, "bed_profile": "surgical",
        "practitioner_id": hospital.doctor, "icd10_code": "I10",
    })  # fmt: skip
    refused(admitted, 422, "admitted_at", "зарегистрирована смерть")


def test_death_of_a_patient_in_the_ward_is_registered_with_the_discharge(
    client: TestClient, session: Session, hospital: Hospital
) -> None:
    from operational.domains.inpatient import timeline

    timeline.register()
    stay = create_stay(session, hospital)
    answer = client.post("/deaths/new", data={
        "patient_id": stay.patient_id, "died_at": local(NOW), "place": "home", "underlying_icd10": "I10",
    })  # fmt: skip
    refused(answer, 409, "died_at", "лежит в стационаре")


# --- the database ---------------------------------------------------------------------------------

PARTS = {
    "vital_sign": ("insert into vital_sign (stay_id, patient_id, owner_organisation_id, measured_at, pulse)"
                   " values (:stay, :patient, :owner, :at, 80)", "ck_vital_sign_within_stay"),
    "stay_operation": ("insert into stay_operation (stay_id, patient_id, owner_organisation_id, operation_code,"
                       " started_at, surgeon_id, urgency, anaesthesia) values (:stay, :patient, :owner,"
                       " '47.09', :at, :doctor, 'urgent', 'none')", "ck_stay_operation_within_stay"),
    "transfusion": ("insert into transfusion (stay_id, patient_id, owner_organisation_id, component, volume_ml,"
                    " blood_group, rhesus, unit_number, indication, started_at, practitioner_id) values (:stay,"
                    " :patient, :owner, 'plasma', 200, 'O', '+', '1', 'x', :at, :doctor)",
                    "ck_transfusion_within_stay"),
    "ward_movement": ("insert into ward_movement (stay_id, patient_id, owner_organisation_id, department_id,"
                      " bed_profile, started_at, ended_at) values (:stay, :patient, :owner, :department, 'surgical',"
                      " :at, :at)", "ck_ward_movement_within_stay"),
}  # fmt: skip


@pytest.mark.parametrize("table", PARTS)
@pytest.mark.parametrize("moment", ["before", "after"])
def test_database_refuses_a_part_outside_the_stay(
    session: Session, hospital: Hospital, table: str, moment: str
) -> None:
    stay = create_discharged(session, hospital)
    at = ADMITTED - timedelta(minutes=1) if moment == "before" else NOW
    statement, constraint = PARTS[table]
    values = {"stay": stay.id, "patient": stay.patient_id, "owner": hospital.organisation, "at": at}
    values |= {name: key for name, key in (("doctor", hospital.doctor), ("department", hospital.surgery))
               if f":{name}" in statement}  # fmt: skip
    assert refusal_of(session, statement, **values) == constraint


def test_database_refuses_overlapping_stays_beds_and_movements(session: Session, hospital: Hospital) -> None:
    patient = registered(session)
    stay = create_stay(session, hospital, patient, bed="9")
    other = create_stay(session, hospital)
    second = ("insert into hospital_stay (patient_id, owner_organisation_id, admission_type, arrival_channel,"
              " financing_source, practitioner_id, admitted_at) values (:patient, :owner, 'planned', 'self', 'gobmp',"
              " :doctor, :at)")  # fmt: skip
    assert refusal_of(
        session, second, patient=patient.id, owner=hospital.organisation, doctor=hospital.doctor, at=NOW
    ) == "ex_hospital_stay_period"  # fmt: skip
    into_bed = "update ward_movement set bed = '9' where stay_id = :stay"
    assert refusal_of(session, into_bed, stay=other.id) == "ex_ward_movement_bed"
    again = ("insert into ward_movement (stay_id, patient_id, owner_organisation_id, department_id, bed_profile,"
             " started_at) values (:stay, :patient, :owner, :department, 'surgical', :at)")  # fmt: skip
    assert refusal_of(
        session, again, stay=stay.id, patient=patient.id, owner=hospital.organisation, department=hospital.intensive,
        at=NOW,
    ) == "ex_ward_movement_period"  # fmt: skip


def test_database_refuses_a_discharge_that_cannot_be(session: Session, hospital: Hospital) -> None:
    stay = create_stay(session, hospital)
    end = "update hospital_stay set discharged_at = :at, outcome = 'discharged' where id = :stay"
    assert refusal_of(session, end, stay=stay.id, at=ADMITTED - timedelta(hours=1)) in (
        "ck_hospital_stay_times", "ex_hospital_stay_period", "ck_hospital_stay_holds_parts",
    )  # fmt: skip
    assert refusal_of(session, end, stay=stay.id, at=NOW) == "ck_hospital_stay_holds_parts"
    without = "update hospital_stay set discharged_at = :at where id = :stay"
    assert refusal_of(session, without, stay=stay.id, at=NOW) == "ck_hospital_stay_outcome_at_discharge"


def test_database_refuses_a_decision_before_the_arrival(session: Session, hospital: Hospital) -> None:
    row = create_presentation(session, hospital)
    decide = "update hospital_presentation set decision = 'left', decided_at = :at where id = :row"
    assert refusal_of(session, decide, row=row.id, at=ARRIVED - timedelta(hours=1)) == (
        "ck_hospital_presentation_decided_after_arrival"
    )
    refuse = "update hospital_presentation set decision = 'refused', decided_at = :at where id = :row"
    assert refusal_of(session, refuse, row=row.id, at=NOW) == "ck_hospital_presentation_refusal_has_reason"


def test_database_refuses_a_death_before_events_and_events_after_it(session: Session, hospital: Hospital) -> None:
    stay = create_stay(session, hospital)
    done = stays_of(session).discharge(
        stay.id, discharge_of(outcome="died", treatment_result="death", underlying_icd10="I10")
    )
    assert done.discharged_at is not None
    earlier = "update death set died_at = :at where patient_id = :patient"
    assert refusal_of(session, earlier, patient=stay.patient_id, at=ADMITTED - timedelta(hours=2)) == (
        "ck_death_after_events"
    )
    admit = ("insert into hospital_stay (patient_id, owner_organisation_id, admission_type, arrival_channel,"
             " financing_source, practitioner_id, admitted_at) values (:patient, :owner, 'planned', 'self', 'gobmp',"
             " :doctor, :at)")  # fmt: skip
    assert refusal_of(
        session, admit, patient=stay.patient_id, owner=hospital.organisation, doctor=hospital.doctor, at=NOW
    ) == "ck_hospital_stay_before_death"  # fmt: skip
