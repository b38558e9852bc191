"""The way of a patient through the hospital: services, undoing, events."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from operational.domains.inpatient import errors, repository, timeline
from operational.domains.inpatient.models import HospitalStay
from operational.domains.inpatient.schemas import (
    AddDiagnosis,
    Admit,
    Decide,
    DecideDeath,
    Measure,
    Move,
    Operate,
    Seen,
    Transfuse,
    UnknownPerson,
)
from operational.domains.inpatient.wards import repository as wards
from operational.domains.patients import dying
from operational.domains.patients.schemas_death import CorrectDeath, DeathFacts
from operational.events.inpatient import StayChanged, StayDischarged, StayWithdrawn, TransfusionGiven, VitalSignsTaken
from operational.events.patients import DeathRegistered, DeathVoided
from operational.kit import events
from tests.operational.inpatient.factories import (
    ADMITTED,
    ARRIVED,
    NOW,
    OPERATION,
    Hospital,
    admission_of,
    create_discharged,
    create_presentation,
    create_stay,
    discharge_of,
    stays_of,
)
from tests.operational.patients.builders import registered

HEARD = (StayChanged, StayDischarged, StayWithdrawn, TransfusionGiven, VitalSignsTaken, DeathRegistered, DeathVoided)


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """The events announced during the test: name and subject."""
    found: list[tuple[str, int]] = []

    def listen(session: Session, event: events.Event, clock: Any, zone: Any) -> None:
        found.append((type(event).__name__, event.subject_id))

    monkeypatch.setattr(events, "_at_once", {event: (listen,) for event in HEARD})
    monkeypatch.setattr(events, "_later", {})
    return found


@pytest.mark.requirement("ADM-07", "ADM-08", "INP-65", "INP-70")
def test_emergency_patient_from_the_door_to_the_discharge(
    session: Session, hospital: Hospital, world: dict[str, int], heard: list[tuple[str, int]]
) -> None:
    user = world["user"]
    presentation = create_presentation(session, hospital, spo2=88)
    assert presentation.triage_zone == "red"
    admission_of(session).see(presentation.id, Seen(seen_at=ARRIVED + timedelta(minutes=5), icd10_code="J06.9"))
    stay = create_stay_of(session, hospital, presentation.id)
    assert (stay.owner_organisation_id, stay.hospital_kind, stay.case_number[2]) == (
        hospital.organisation, "round_the_clock", "-",
    )  # fmt: skip
    stays = stays_of(session)
    first = repository.current_movement(session, stay.id)
    assert first is not None and first.department_id == hospital.surgery
    moved = stays.move(
        stay.id,
        Move(started_at=ADMITTED + timedelta(hours=2), department_id=hospital.intensive,
             bed_profile="intensive_care", ward="1", bed="2"),
    )  # fmt: skip
    session.refresh(first)
    assert first.ended_at == moved.started_at
    at = ADMITTED + timedelta(hours=3)
    operation = stays.operate(
        stay.id,
        Operate(operation_code=OPERATION, started_at=at, ended_at=at + timedelta(hours=1),
                surgeon_id=hospital.doctor, urgency="emergency", anaesthesia="general"),
    )  # fmt: skip
    blood = stays.transfuse(
        stay.id,
        Transfuse(component="red_cells", volume_ml=300, blood_group="A", rhesus="+", unit_number="K-1",
                  indication="Қан жоғалту", started_at=at, practitioner_id=hospital.doctor),
    )  # fmt: skip
    vital = stays.measure(
        stay.id, Measure(measured_at=at, temperature=Decimal("38.6"), pulse=110, systolic=100, diastolic=60)
    )
    stays.set_condition(stay.id, "severe")
    stays.diagnose(stay.id, AddDiagnosis(phase="clinical", rank="main", icd10_code="Z00.0", established_at=at))
    stays.move(
        stay.id,
        Move(started_at=NOW - timedelta(hours=5), department_id=hospital.surgery, bed_profile="surgical"),
    )
    done = stays.discharge(stay.id, discharge_of())
    assert (done.outcome, done.treatment_result, done.signed_by) == (
        "discharged",
        "improvement",
        user,
    )
    assert [row.movement.ended_at is not None for row in repository.movements(session, stay.id)] == [True] * 3
    main = repository.main_diagnosis(session, stay.id)
    assert main is not None and (main.phase, main.icd10_code) == ("final", "I10")
    assert [repository.operations(session, stay.id)[0].operation.id, operation.stay_id] == [operation.id, stay.id]
    assert heard == [
        ("StayChanged", stay.id), ("StayChanged", stay.id), ("StayChanged", stay.id), ("TransfusionGiven", blood.id),
        ("VitalSignsTaken", vital.id), ("StayChanged", stay.id), ("StayChanged", stay.id), ("StayChanged", stay.id),
        ("StayDischarged", stay.id),
    ]  # fmt: skip


def create_stay_of(session: Session, hospital: Hospital, presentation: int) -> HospitalStay:
    return admission_of(session).admit(
        presentation,
        Admit(admitted_at=ADMITTED, department_id=hospital.surgery, bed_profile="surgical", bed="7",
              practitioner_id=hospital.doctor, icd10_code="J06.9"),
    )  # fmt: skip


def test_beds_are_counted_from_the_stock_and_who_lies_there(session: Session, hospital: Hospital) -> None:
    create_stay(session, hospital)
    beds = {row.bed_profile: (row.beds, row.occupied, row.free)
            for row in wards.beds(session, {hospital.organisation}, NOW.date())}  # fmt: skip
    assert beds == {"surgical": (10, 1, 9), "intensive_care": (2, 0, 2)}


def test_refusal_and_its_undo(session: Session, hospital: Hospital, heard: list[tuple[str, int]]) -> None:
    row = create_presentation(session, hospital)
    desk = admission_of(session)
    refused = desk.decide(row.id, "refused", Decide(refusal_reason="no_indication", note="Амбулаторлық ем"))
    assert (refused.decision, refused.decided_at, refused.refusal_reason) == ("refused", NOW, "no_indication")
    with pytest.raises(errors.DecisionTaken):
        desk.decide(row.id, "left", Decide())
    again = desk.take_back(row.id, "қате басылды")
    assert (again.decision, again.decided_at, again.refusal_reason) == ("waiting", None, None)
    assert not heard


def test_transfer_to_another_organisation(session: Session, hospital: Hospital, world: dict[str, int]) -> None:
    desk, row = admission_of(session), create_presentation(session, hospital)
    with pytest.raises(errors.TargetIsSelf):
        desk.decide(row.id, "transferred", Decide(target_organisation_id=hospital.organisation))
    moved = desk.decide(row.id, "transferred", Decide(target_organisation_id=world["other"]))
    assert (moved.decision, moved.target_organisation_id) == ("transferred", world["other"])
    stay = create_stay(session, hospital)
    done = stays_of(session).discharge(
        stay.id, discharge_of(outcome="transferred", target_organisation_id=world["other"])
    )
    assert (done.outcome, done.target_organisation_id) == ("transferred", world["other"])


def test_unknown_person_gets_a_record(session: Session, hospital: Hospital) -> None:
    person = admission_of(session).register_unknown(UnknownPerson(sex="M", looks="Көк куртка, 40 жас шамасында"))
    assert (person.identity_kind, person.sex, person.address) == ("unknown", "M", "Көк куртка, 40 жас шамасында")
    assert create_presentation(session, hospital, person).patient_id == person.id


def test_death_in_the_ward_and_its_taking_back(
    session: Session, hospital: Hospital, heard: list[tuple[str, int]]
) -> None:
    stay = create_stay(session, hospital)
    stays = stays_of(session)
    died = stays.discharge(stay.id, discharge_of(outcome="died", treatment_result="death", underlying_icd10="I10"))
    death = dying.death_of_person(session, stay.patient_id)
    assert death is not None and death.died_at == died.discharged_at
    assert (death.place, death.hospital_organisation_id, death.underlying_icd10) == (
        "hospital", hospital.organisation, "I10",
    )  # fmt: skip
    patient = repository.patient(session, stay.patient_id)
    assert patient is not None and str(patient.death_date) == "2026-11-24"
    reopened = stays.take_back(stay.id, "қате енгізілді")
    session.refresh(death)
    assert (reopened.outcome, reopened.version, death.voided_at, patient.death_date) == (None, 2, NOW, None)
    current = repository.current_movement(session, stay.id)
    assert current is not None and current.ended_at is None
    assert heard == [
        ("StayChanged", stay.id), ("DeathRegistered", death.id), ("StayDischarged", stay.id),
        ("DeathVoided", death.id), ("StayWithdrawn", stay.id),
    ]  # fmt: skip


def test_death_in_the_admission_department(session: Session, hospital: Hospital) -> None:
    row = create_presentation(session, hospital)
    desk = admission_of(session)
    desk.died(row.id, DecideDeath(decided_at=NOW - timedelta(hours=20), underlying_icd10="I10", autopsy_flag=True))
    death = dying.death_of_person(session, row.patient_id)
    assert death is not None and (death.died_at, death.autopsy_flag) == (NOW - timedelta(hours=20), True)
    desk.take_back(row.id, "қате адам")
    assert dying.death_of_person(session, row.patient_id) is None


def test_death_of_a_discharge_is_taken_back_with_it(session: Session, hospital: Hospital) -> None:
    timeline.register()
    stay = create_stay(session, hospital)
    stays = stays_of(session)
    stays.discharge(stay.id, discharge_of(outcome="died", treatment_result="death", underlying_icd10="I10"))
    death = dying.death_of_person(session, stay.patient_id)
    assert death is not None
    with pytest.raises(errors.DeathOfDischarge):
        dying.void_death(session, stays.clock, stays.zone, death.id, "қате")
    facts = DeathFacts.model_validate(death, from_attributes=True).model_dump()
    corrected = CorrectDeath(**(facts | {"died_at": NOW - timedelta(minutes=50)}), reason="уақыты нақтыланды")
    dying.correct_death(session, stays.clock, stays.zone, death.id, corrected)
    stays.take_back(stay.id, "қате")
    assert dying.death_of_person(session, stay.patient_id) is None


def test_corrected_discharge_is_a_new_version(
    session: Session, hospital: Hospital, heard: list[tuple[str, int]]
) -> None:
    stay = create_discharged(session, hospital)
    del heard[:]
    stays = stays_of(session)
    with pytest.raises(errors.ReasonNeeded):
        stays.correct(stay.id, discharge_of(), "")
    fixed = stays.correct(stay.id, discharge_of(icd10_code="Z00.0", treatment_result="recovery"), "диагноз нақтыланды")
    main = repository.main_diagnosis(session, stay.id)
    assert main is not None and (fixed.version, fixed.treatment_result, main.icd10_code) == (2, "recovery", "Z00.0")
    assert heard == [("StayDischarged", stay.id)]
    signed: list[str] = session.execute(
        text(
            "select array_agg(detail ->> 'version' order by id) from audit_event"
            " where action = 'stay.discharged' and object_id = :key"
        ),
        {"key": stay.id},
    ).scalar_one()
    assert signed == ["1", "2"]


def test_taken_back_when_the_bed_is_taken_meanwhile(session: Session, hospital: Hospital) -> None:
    stay = create_stay(session, hospital, bed="5")
    stays = stays_of(session)
    stays.discharge(stay.id, discharge_of())
    other = create_presentation(session, hospital)
    admission_of(session).admit(
        other.id,
        Admit(admitted_at=NOW, department_id=hospital.surgery, bed_profile="surgical", bed="5",
              practitioner_id=hospital.doctor, icd10_code="J06.9"),
    )  # fmt: skip
    stays.take_back(stay.id, "мерзімінен бұрын шығарылды")
    current = repository.current_movement(session, stay.id)
    assert current is not None and (current.ward, current.bed, current.ended_at) == ("3", None, None)


def test_admission_is_taken_back_only_before_anything_is_done(
    session: Session, hospital: Hospital, heard: list[tuple[str, int]]
) -> None:
    stay = create_stay(session, hospital)
    assert stay.presentation_id is not None
    desk = admission_of(session)
    with pytest.raises(errors.PresentationHasStay):
        desk.void(stay.presentation_id, "қате")
    row = desk.take_back(stay.presentation_id, "орын ауысты")
    session.refresh(stay)
    assert row.decision == "waiting" and stay.voided_at == NOW and stay.void_reason == "орын ауысты"
    assert not repository.parts(session, stay.id)
    assert heard[-1] == ("StayWithdrawn", stay.id)
    again = create_stay_of(session, hospital, row.id)
    stays_of(session).measure(again.id, Measure(measured_at=NOW, pulse=80))
    with pytest.raises(errors.StayHasParts):
        desk.take_back(row.id, "орын ауысты")


def test_void_and_restore_of_a_stay_take_its_parts_along(
    session: Session, hospital: Hospital, heard: list[tuple[str, int]]
) -> None:
    stay = create_stay(session, hospital)
    stays = stays_of(session)
    vital = stays.measure(stay.id, Measure(measured_at=NOW, pulse=80))
    gone = stays.measure(stay.id, Measure(measured_at=NOW, pulse=180))
    stays_of(session, NOW - timedelta(minutes=1)).void_part(stay.id, "vitals", gone.id, "басқа науқас")
    stays.void(stay.id, "басқа науқас")
    assert not repository.parts(session, stay.id) and repository.open_stay(session, stay.patient_id) is None
    stays.restore(stay.id, "қате емес екен")
    assert [row.id for row in repository.vital_signs(session, stay.id)] == [vital.id]
    assert repository.main_diagnosis(session, stay.id) is not None
    assert [name for name, _ in heard][-2:] == ["StayWithdrawn", "StayChanged"]


def test_voided_movement_returns_the_patient_to_the_bed_before(session: Session, hospital: Hospital) -> None:
    stay = create_stay(session, hospital, bed="5")
    stays = stays_of(session)
    first = repository.current_movement(session, stay.id)
    assert first is not None
    with pytest.raises(errors.FirstMovement):
        stays.void_part(stay.id, "movements", first.id, "қате")
    second = stays.move(
        stay.id, Move(started_at=NOW, department_id=hospital.intensive, bed_profile="intensive_care", bed="1")
    )
    stays.void_part(stay.id, "movements", second.id, "ауыстырылған жоқ")
    session.refresh(first)
    assert (first.ended_at, first.bed) == (None, "5")


@pytest.mark.parametrize("kind", ["diagnoses", "vitals"])
def test_part_is_voided_and_restored(
    session: Session, hospital: Hospital, kind: Any, heard: list[tuple[str, int]]
) -> None:
    stay = create_stay(session, hospital)
    stays = stays_of(session)
    part: Any
    if kind == "vitals":
        part = stays.measure(stay.id, Measure(measured_at=NOW, temperature=Decimal("37.1")))
    else:
        part = stays.diagnose(stay.id, AddDiagnosis(rank="comorbid", icd10_code="I10", established_at=NOW))
    with pytest.raises(errors.ReasonNeeded):
        stays.void_part(stay.id, kind, part.id, " ")
    stays.void_part(stay.id, kind, part.id, "қате")
    assert part.voided_at == NOW
    assert stays.restore_part(stay.id, kind, part.id).voided_at is None
    assert [name for name, _ in heard][-2:] == (["VitalSignsTaken"] * 2 if kind == "vitals" else ["StayChanged"] * 2)


def test_discharged_stay_changes_only_after_its_taking_back(session: Session, hospital: Hospital) -> None:
    stay = create_discharged(session, hospital)
    with pytest.raises(errors.StayClosed):
        stays_of(session).measure(stay.id, Measure(pulse=70))
    with pytest.raises(errors.StayClosed):
        stays_of(session).discharge(stay.id, discharge_of())


def test_second_stay_after_the_first(session: Session, hospital: Hospital) -> None:
    patient = registered(session)
    stay = create_stay(session, hospital, patient)
    stays_of(session).discharge(stay.id, discharge_of(discharged_at=ADMITTED + timedelta(hours=1)))
    row = create_presentation(session, hospital, patient, arrived_at=NOW - timedelta(hours=2))
    second = admission_of(session).admit(
        row.id, Admit(admitted_at=NOW, department_id=hospital.surgery, bed_profile="surgical",
                      practitioner_id=hospital.doctor, icd10_code="J06.9")
    )  # fmt: skip
    assert second.case_number != stay.case_number
