"""Acts of a hospital: who comes, is admitted, moved, measured, operated on, transfused, discharged."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from operational.demo.live.polyclinic import REASON
from operational.demo.live.speaking import Nobody
from operational.demo.live.stage import Row, Stage

ILLNESSES: Final = ("I20.0", "J18.9", "K35.8", "I63.9", "S82.2", "K80.1", "N10")
CHANNELS: Final = ("ambulance", "ambulance", "self", "polyclinic_referral")
EPICRISIS: Final = "Ем қабылдады, жағдайы жақсарды / Получил лечение, состояние улучшилось"
OPEN_STAY: Final = """
    select s.id, s.patient_id, s.admitted_at from hospital_stay s
    where s.owner_organisation_id = %(own)s and s.discharged_at is null and s.voided_at is null
"""
# Beds of a department, and of each ward of it.
BEDS, WARD = 90, 6
TRANSFUSED: Final = (("red_cells", 300), ("plasma", 250), ("platelets", 200))


def present(stage: Stage) -> int:
    """Somebody is brought or comes to the admission department; the key of the presentation."""
    who = stage.person(
        stage.user("doctor").organisation_id,
        "p.iin is not null and p.birth_date < current_date - 7000"
        " and not exists (select from hospital_stay s where s.patient_id = p.id and s.voided_at is null"
        " and (s.discharged_at is null or s.discharged_at > now()))"
        " and not exists (select from hospital_presentation h where h.patient_id = p.id and h.decision = 'waiting'"
        " and h.voided_at is null)",
    )
    _open(stage, who["patient_id"])
    body = {
        "patient_id": who["patient_id"], "department_id": _admission_department(stage),
        "arrival_channel": stage.rng.choice(CHANNELS), "complaint": "Кеуде тұсының ауыруы / Боли за грудиной",
        **_vitals(stage),
    }  # fmt: skip
    key = int(stage.api.post("ward", "/api/inpatient/presentations", body)["id"])
    stage.keep("presentation.registered", "hospital_presentation", id=key)
    return key


def admit(stage: Stage) -> None:
    """Somebody comes, is seen and gets a bed."""
    key = present(stage)
    code = stage.rng.choice(ILLNESSES)
    stage.api.post("ward", f"/api/inpatient/presentations/{key}/seen", {"icd10_code": code})
    stage.keep("presentation.seen", "hospital_presentation", id=key, seen_at="*")
    body = {
        **_bed(stage), "practitioner_id": stage.user("ward").practitioner_id, "icd10_code": code,
        "condition": stage.rng.choice(("satisfactory", "moderate", "severe")),
    }  # fmt: skip
    stay = stage.api.post("ward", f"/api/inpatient/presentations/{key}/admit", body)["id"]
    stage.keep("stay.admitted", "hospital_stay", id=stay, presentation_id=key)


def refuse(stage: Stage) -> None:
    """Somebody comes and is treated without a bed."""
    key = present(stage)
    body = {"refusal_reason": stage.rng.choice(("no_indication", "treated_outpatient")), "icd10_code": "I10"}
    stage.api.post("ward", f"/api/inpatient/presentations/{key}/decide/refused", body)
    stage.keep("presentation.refused", "hospital_presentation", id=key, decision="refused")


def move(stage: Stage) -> None:
    """A patient gets another bed, often in another department."""
    stay = _stay(stage)
    part = stage.api.post("ward", f"/api/inpatient/stays/{stay['id']}/movements", _bed(stage))
    stage.keep("stay.moved", "ward_movement", id=part["id"], stay_id=stay["id"])


def measure(stage: Stage) -> None:
    """A round of measurements; some of them critical, which opens a signal case."""
    stay = _stay(stage)
    part = stage.api.post("ward", f"/api/inpatient/stays/{stay['id']}/vitals", _vitals(stage))
    stage.keep("stay.measured", "vital_sign", id=part["id"], stay_id=stay["id"])


def diagnose(stage: Stage) -> None:
    """A comorbid disease is found."""
    stay = _stay(stage, "not exists (select from stay_diagnosis d where d.stay_id = s.id and d.icd10_code = 'E66.9')")
    body = {"phase": "clinical", "rank": "comorbid", "icd10_code": "E66.9"}
    part = stage.api.post("ward", f"/api/inpatient/stays/{stay['id']}/diagnoses", body)
    stage.keep("stay.diagnosed", "stay_diagnosis", id=part["id"], stay_id=stay["id"])


def operate(stage: Stage) -> None:
    """An operation that ends now."""
    stay = _stay(stage)
    code = stage.rng.choice(stage.rows("select code from operation where active order by code limit 40"))["code"]
    started = max(stay["admitted_at"], stage.now - timedelta(minutes=stage.rng.randint(20, 120)))
    body = {
        "operation_code": code, "started_at": started.isoformat(), "ended_at": stage.now.isoformat(),
        "surgeon_id": stage.user("ward").practitioner_id, "urgency": stage.rng.choice(("planned", "emergency")),
        "anaesthesia": stage.rng.choice(("local", "general", "regional")),
    }  # fmt: skip
    part = stage.api.post("ward", f"/api/inpatient/stays/{stay['id']}/operations", body)
    stage.keep("stay.operated", "stay_operation", id=part["id"], stay_id=stay["id"])


def transfuse(stage: Stage) -> None:
    """A transfusion that begins now."""
    stay = _stay(stage)
    component, volume = stage.rng.choice(TRANSFUSED)
    body = {
        "component": component, "volume_ml": volume, "blood_group": stage.rng.choice(("O", "A", "B", "AB")),
        "rhesus": "+", "unit_number": f"L{stage.rng.randint(0, 999_999):06d}",
        "indication": "Анемия / Анемия", "started_at": stage.now.isoformat(),
        "practitioner_id": stage.user("ward").practitioner_id,
    }  # fmt: skip
    part = stage.api.post("ward", f"/api/inpatient/stays/{stay['id']}/transfusions", body)
    stage.keep("stay.transfused", "transfusion", id=part["id"], stay_id=stay["id"])


def void_part(stage: Stage) -> None:
    """A measurement was written to the wrong patient."""
    row = stage.one(
        "select v.id, v.patient_id, v.stay_id from vital_sign v join hospital_stay s on s.id = v.stay_id"
        " where v.owner_organisation_id = %(own)s and v.voided_at is null and s.discharged_at is null"
        " and s.voided_at is null order by v.id desc",
        own=stage.user("ward").organisation_id,
    )
    stage.api.post("ward", f"/api/inpatient/stays/{row['stay_id']}/vitals/{row['id']}/void", {"reason": REASON})
    stage.keep("stay.part_voided", "vital_sign", id=row["id"], voided_at="*")


def discharge(stage: Stage) -> None:
    """A patient goes home, or seldom dies."""
    stay = _stay(stage)
    died = stage.rng.random() < 0.03
    body: dict[str, Any] = {"outcome": "died", "treatment_result": "death", "underlying_icd10": "I21.9"} if died else {
        "outcome": "discharged", "treatment_result": stage.rng.choice(("recovery", "improvement")),
    }  # fmt: skip
    body |= {"icd10_code": stage.rng.choice(ILLNESSES), "epicrisis": EPICRISIS}
    stage.api.post("ward", f"/api/inpatient/stays/{stay['id']}/discharge", body)
    stage.audited("stay.discharged", "stay.discharged", "hospital_stay", stay["id"])
    if died:
        stage.keep("stay.died", "death", patient_id=stay["patient_id"])


def correct_discharge(stage: Stage) -> None:
    """What a discharge of the last weeks says is corrected as a new version."""
    row = stage.one(
        "select s.id, s.patient_id, s.discharged_at, s.version, s.epicrisis, d.icd10_code from hospital_stay s"
        " join stay_diagnosis d on d.stay_id = s.id and d.phase = 'final' and d.rank = 'main' and d.voided_at is null"
        " where s.owner_organisation_id = %(own)s and s.outcome = 'discharged' and s.voided_at is null"
        " and s.discharged_at > now() - interval '60 days' and not exists (select from hospital_stay n"
        " where n.patient_id = s.patient_id and n.admitted_at >= s.discharged_at and n.voided_at is null)"
        " and not exists (select from death x where x.patient_id = s.patient_id and x.voided_at is null)"
        " order by s.id desc",
        own=stage.user("ward").organisation_id,
    )
    body = {
        "outcome": "discharged", "treatment_result": "no_change", "icd10_code": row["icd10_code"],
        "discharged_at": row["discharged_at"].isoformat(), "epicrisis": row["epicrisis"] or EPICRISIS,
        "reason": REASON,
    }  # fmt: skip
    found = stage.api.post("ward", f"/api/inpatient/stays/{row['id']}/discharge", body, method="PUT")
    stage.audited("stay.discharge_corrected", "stay.discharged", "hospital_stay", found["id"])


def _open(stage: Stage, patient_id: int) -> None:
    """Make sure that the hospital sees the person's record."""
    own = stage.user("ward").organisation_id
    found = stage.rows(
        "select p.iin from patient p where p.id = %(key)s and not exists (select from patient_access a"
        " where a.patient_id = p.id and a.organisation_id = %(own)s)",
        key=patient_id, own=own,
    )  # fmt: skip
    for row in found:
        body = {"iin": row["iin"], "reason": "Қабылдау бөлімі / Приёмное отделение"}
        stage.api.post("ward", "/api/patients/open", body)
        stage.keep("patient.opened", "patient_access", patient_id=patient_id, organisation_id=own)


def _stay(stage: Stage, condition: str = "true") -> Row:
    return stage.one(
        f"{OPEN_STAY} and {condition} and s.admitted_at < now() order by s.id desc",
        own=stage.user("ward").organisation_id,
    )


def _admission_department(stage: Stage) -> int:
    found = stage.rows(
        "select id from department where organisation_id = %(own)s and valid_to is null"
        " order by kind <> 'admission', id limit 1",
        own=stage.user("ward").organisation_id,
    )
    return int(found[0]["id"])


def _bed(stage: Stage) -> dict[str, Any]:
    """A department with its profile, and a bed that nobody lies in. Raises Nobody."""
    own = stage.user("ward").organisation_id
    units = stage.rows(
        "select b.department_id, b.bed_profile from bed_stock b where b.organisation_id = %(own)s"
        " and b.hospital_kind = 'round_the_clock' and b.valid_to is null order by b.id",
        own=own,
    )
    unit = stage.rng.choice(units)
    taken = {
        row["bed"]
        for row in stage.rows(
            "select bed from ward_movement where department_id = %(unit)s and ended_at is null and voided_at is null",
            unit=unit["department_id"],
        )
    }
    beds = list(range(1, BEDS + 1))
    stage.rng.shuffle(beds)
    for bed in beds:
        if str(bed) not in taken and stage.hold(("bed", unit["department_id"], bed)):
            return unit | {"ward": str((bed - 1) // WARD + 1), "bed": str(bed)}
    raise Nobody


def _vitals(stage: Stage) -> dict[str, Any]:
    upper = stage.rng.choice((110, 120, 130, 140, 150, 160, 190))
    return {
        "temperature": f"{stage.rng.uniform(36.2, 39.2):.1f}", "pulse": stage.rng.randint(58, 120),
        "systolic": upper, "diastolic": upper - stage.rng.randint(35, 60), "spo2": stage.rng.randint(90, 99),
        "respiratory_rate": stage.rng.randint(14, 24),
    }  # fmt: skip
