"""Changes of the store that a refresh has to bring into the figures: visits that are signed, rows that are corrected.

Corrections are made as the owner of the schema; the triggers put them into the feed as they do for every user.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

import psycopg
from psycopg import sql

from kmis.clock import SystemClock
from kmis.settings import Settings

Spread = Literal["last weeks", "all years"]
SPREADS: tuple[Spread, ...] = ("last weeks", "all years")
RECENT = timedelta(weeks=4)
PATIENTS = 500


class NoPeople(RuntimeError):
    """The installation holds no demonstration."""


@dataclass(frozen=True, slots=True)
class Kind:
    """Corrections of one table: the fact that they move, the moment of the event, what is set in which rows."""

    fact: str
    table: str
    moment: str
    change: str
    only: str = "voided_at is null"


KINDS = (
    Kind("fct_visit", "encounter", "started_at", "ended_at = ended_at + interval '1 second'",
         "voided_at is null and ended_at is not null"),
    Kind("fct_diagnosis", "condition", "recorded_at", "recorded_at = recorded_at + interval '1 second'"),
    Kind("fct_service", "procedure", "performed_at", "tariff_kzt = tariff_kzt + 1"),
    Kind("fct_referral", "service_request", "requested_at", "requested_at = requested_at + interval '1 second'",
         "revoked_at is null"),
    Kind("fct_appointment", "appointment", "starts_at", "booked_at = booked_at - interval '1 second'", "true"),
    Kind("fct_slot", "slot", "starts_at", "blocked_at = case when blocked_at is null then now() end",
         "cancelled_at is null and not exists (select from appointment as a where a.slot_id = slot.id)"),
    Kind("fct_home_call", "home_call", "called_at", "due_at = due_at + interval '1 second'"),
    Kind("fct_hospital_presentation", "hospital_presentation", "arrived_at",
         "pulse = case when pulse = 70 then 71 else 70 end"),
    Kind("fct_hospital_stay", "hospital_stay", "admitted_at", "epicrisis = coalesce(epicrisis, '') || '.'"),
    Kind("fct_operation", "stay_operation", "started_at", "protocol = coalesce(protocol, '') || '.'"),
    Kind("fct_lab_result", "lab_result", "observed_at", "value_number = value_number + 0.01",
         "voided_at is null and value_number is not null"),
    Kind("fct_imaging_study", "imaging_study", "started_at", "started_at = started_at + interval '1 second'"),
    Kind("fct_pregnancy_visit", "pregnancy_visit", "visited_at", "weight_kg = weight_kg + 0.1"),
    Kind("fct_birth", "birth", "born_at", "weight_g = weight_g + 1"),
    Kind("fct_death", "death", "died_at", "note = coalesce(note, '') || '.'"),
    Kind("fct_signal_case", "signal_case", "opened_at", "recommendations = coalesce(recommendations, '') || '.'"),
)  # fmt: skip
TOGETHER = "all together"


def correct(settings: Settings, kinds: Sequence[Kind], number: int, spread: Spread, turn: int) -> int:
    """Corrects ``number`` rows, as many of each kind, in one transaction; other rows in each turn.

    Rows of the last weeks are those whose event lies in the last four; where a table has fewer, they all are taken.
    Returns how many rows were corrected.
    """
    changed = 0
    with psycopg.connect(settings.dsn("kmis_owner")) as connection:
        connection.execute("select set_config('kmis.reason', 'benchmark', true)")
        for kind in kinds:
            share = max(1, number // len(kinds))
            since = "true" if spread == "all years" else f"{kind.moment} between now() - %(recent)s and now()"
            statement = (
                f"update {kind.table} set {kind.change} where id in (select id from {kind.table}"
                f" where {kind.only} and {since} order by md5(id::text || %(turn)s) limit %(share)s)"
            )
            changed += connection.execute(
                sql.SQL(statement),
                {"recent": RECENT, "turn": f" {turn}", "share": share},
            ).rowcount
    return changed


@dataclass(frozen=True, slots=True)
class _Doctor:
    user_id: int
    practitioner_id: int
    organisation_id: int


class Signer:
    """Signs visits of the demonstration's doctor by the service of the screens. Raises NoPeople."""

    def __init__(self, settings: Settings) -> None:
        from operational.models import whole

        whole()
        self.settings = settings
        with psycopg.connect(settings.dsn("kmis_owner")) as connection:
            row = connection.execute(
                "select u.id, u.practitioner_id, r.organisation_id from app_user as u"
                " join practitioner_role as r on r.practitioner_id = u.practitioner_id and r.valid_to is null"
                " where u.login = 'doctor'"
            ).fetchone()
            if row is None:
                raise NoPeople("the benchmark signs visits as the demonstration's doctor: run `kmis demo` first")
            self.doctor = _Doctor(*row)
            self.patients = [
                int(found[0])
                for found in connection.execute(
                    "select p.id from patient as p join patient_access as a on a.patient_id = p.id"
                    " where a.organisation_id = %s and p.merged_into_id is null and p.voided_at is null"
                    " and p.death_date is null order by p.id limit %s",
                    (self.doctor.organisation_id, PATIENTS),
                )
            ]

    def sign(self, number: int) -> None:
        """Commits the ``number``-th visit: opened, with a diagnosis, written and signed in one transaction."""
        from operational.domains.encounters.schemas import AddCondition, StartVisit, VisitText
        from operational.domains.encounters.service import Visits
        from operational.kit.access import Scope as Actor
        from operational.kit.db import transaction

        doctor = self.doctor
        actor = Actor(doctor.user_id, frozenset({doctor.organisation_id}), practitioner_id=doctor.practitioner_id)
        with transaction(self.settings, actor) as session:
            visits = Visits(session, SystemClock(), self.settings.zone)
            visit = visits.start(StartVisit(patient_id=self.patients[number % len(self.patients)]))
            visits.add_condition(visit.id, AddCondition(icd10_code="J06.9", character="acute"))
            visits.write(visit.id, VisitText(outcome="recovery", complaints="bench"))
            visits.sign(visit.id)
