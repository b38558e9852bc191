"""The epicrisis of a discharge, written from what stands in the stay; the doctor edits it before signing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from operational.domains.catalogs.models import CodedValue
from operational.domains.inpatient import repository
from operational.domains.inpatient.models import HospitalStay, VitalSign
from operational.web.formats import format_moment
from operational.web.texts import translate

Say = Callable[..., str]
PHASES = ("admission", "clinical", "final")


def write(session: Session, stay: HospitalStay, name: str, age: str, language: str, zone_name: str) -> str:
    """The text of the epicrisis so far, in the language of its reader."""

    def say(key: str, **params: object) -> str:
        return translate(language, f"inpatient.epicrisis.{key}", **params)

    def moment(at: datetime) -> str:
        return format_moment(at, zone_name)

    coded = repository.coded(session, ("arrival_channel", "blood_component", "stay_condition", "anaesthesia"))
    words = {(directory, row.code): _named(row, language) for directory, rows in coded.items() for row in rows}
    channel = words.get(("arrival_channel", stay.arrival_channel), stay.arrival_channel)
    paragraphs = [
        say("patient", name=name, age=age, number=stay.case_number),
        say(stay.admission_type, at=moment(stay.admitted_at), channel=channel),
        *_diagnoses(session, stay.id, language, say),
        *_movements(session, stay.id, language, say, moment),
        *_operations(session, stay.id, language, say, moment, words),
        *_transfusions(session, stay.id, say, moment, words),
        *_measurements(repository.vital_signs(session, stay.id), say, moment),
    ]
    if stay.condition:
        paragraphs.append(say("condition", text=words.get(("stay_condition", stay.condition), stay.condition)))
    return "\n".join(paragraphs)


def _named(row: CodedValue | Any, language: str) -> str:
    return str((row.name_kk if language == "kk" else None) or row.name_ru)


def _diagnoses(session: Session, key: int, language: str, say: Say) -> Iterator[str]:
    rows = repository.diagnoses(session, key)
    for phase in PHASES:
        found = [
            f"{row.diagnosis.icd10_code} {_named(row.icd10, language)}" for row in rows if row.diagnosis.phase == phase
        ]
        if found:
            yield say(f"diagnosis_{phase}", text="; ".join(found))


def _movements(session: Session, key: int, language: str, say: Say, moment: Callable[[datetime], str]) -> Iterator[str]:
    rows = repository.movements(session, key)
    if rows:
        stations = [f"{_named(row.department, language)} ({moment(row.movement.started_at)})" for row in rows]
        yield say("movements", text=" → ".join(stations))


def _operations(
    session: Session, key: int, language: str, say: Say, moment: Callable[[datetime], str],
    words: dict[tuple[str, str], str],
) -> Iterator[str]:  # fmt: skip
    for row in repository.operations(session, key):
        done = row.operation
        yield say(
            "operation", at=moment(done.started_at), name=f"{done.operation_code} {_named(row.name, language)}",
            surgeon=f"{row.surgeon.surname} {row.surgeon.given_name}",
            anaesthesia=words.get(("anaesthesia", done.anaesthesia), done.anaesthesia).lower(),
        )  # fmt: skip
        if done.complication:
            yield say("complication", text=done.complication)


def _transfusions(
    session: Session, key: int, say: Say, moment: Callable[[datetime], str], words: dict[tuple[str, str], str]
) -> Iterator[str]:
    for row in repository.transfusions(session, key):
        given = row.transfusion
        yield say(
            "transfusion", at=moment(given.started_at), volume=given.volume_ml,
            component=words.get(("blood_component", given.component), given.component).lower(),
        )  # fmt: skip
        if given.reaction_note:
            yield say("reaction", text=given.reaction_note)


def _measurements(rows: Sequence[VitalSign], say: Say, moment: Callable[[datetime], str]) -> Iterator[str]:
    temperatures = [row.temperature for row in rows if row.temperature is not None]
    if temperatures:
        yield say(
            "temperature", low=str(min(temperatures)).replace(".", ","), high=str(max(temperatures)).replace(".", ",")
        )
    if rows:
        last = rows[-1]
        values = (
            ("pulse", last.pulse), ("pressure", f"{last.systolic}/{last.diastolic}" if last.systolic else None),
            ("respiration", last.respiratory_rate), ("spo2", last.spo2),
        )  # fmt: skip
        known = ", ".join(say(f"value_{name}", value=value) for name, value in values if value is not None)
        if known:
            yield say("last_values", at=moment(last.measured_at), text=known)
