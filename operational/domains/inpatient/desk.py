"""What every use case of the hospital needs: the clock, the checks of time, department, doctor and codes."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from kmis.clock import Clock, local_date
from operational.domains.inpatient import errors, repository
from operational.domains.inpatient.models import HospitalStay
from operational.domains.inpatient.refusals import refusals_of_database
from operational.domains.organisation import repository as organisations
from operational.domains.organisation.models import Department
from operational.domains.patients.models import Patient
from operational.events.inpatient import StayChanged, StayDischarged, StayWithdrawn
from operational.kit.access import scope_of
from operational.kit.db import give_reason
from operational.kit.errors import NotFound
from operational.kit.events import announce

# Clocks of two machines differ; a later moment is the future.
TOLERANCE = timedelta(minutes=5)
LEAST_REASON = 3
StayEvent = type[StayChanged] | type[StayDischarged] | type[StayWithdrawn]


class Desk:
    """A session with its clock, and the checks that the use cases share."""

    def __init__(self, session: Session, clock: Clock, zone: ZoneInfo) -> None:
        self.session = session
        self.clock = clock
        self.zone = zone

    def today(self) -> date:
        return local_date(self.clock.now(), self.zone)

    def moment(self, at: datetime | None, field: str) -> datetime:
        """The moment given, else now. Raises TimeInFuture at the field."""
        now = self.clock.now()
        if at is None:
            return now
        found = at if at.tzinfo else at.replace(tzinfo=self.zone)
        if found > now + TOLERANCE:
            raise errors.TimeInFuture(field)
        return found

    def patient(self, key: int) -> Patient:
        """The person's record. Raises NotFound at the field."""
        found = repository.patient(self.session, key)
        if found is None or found.voided_at is not None:
            raise NotFound("patient_id")
        return found

    def department(self, key: int) -> Department:
        """A department of the user's organisations. Raises DepartmentElsewhere."""
        found = repository.department(self.session, key)
        if found is None or found.organisation_id not in scope_of(self.session).organisation_ids:
            raise errors.DepartmentElsewhere()
        return found

    def doctor(self, key: int, organisation_id: int, at: datetime, field: str = "practitioner_id") -> int:
        """A practitioner with a position in the organisation on the day. Raises DoctorElsewhere."""
        if not organisations.works_in(self.session, key, organisation_id, local_date(at, self.zone)):
            raise errors.DoctorElsewhere(field)
        return key

    def own_practitioner(self) -> int | None:
        return scope_of(self.session).practitioner_id

    def icd10(self, code: str, field: str = "icd10_code") -> str:
        """A code that may be used for a diagnosis. Raises UnknownIcd10."""
        if repository.icd10(self.session, code) is None:
            raise errors.UnknownIcd10(field)
        return code

    def known(self, field: str, directory: str, code: str | None) -> None:
        """The code stands in the directory; an empty directory refuses nothing. Raises UnknownChoice."""
        entries = repository.coded(self.session, [directory])[directory]
        if code is not None and entries and code not in {row.code for row in entries}:
            raise errors.UnknownChoice(field)

    def reason(self, text: str) -> str:
        """The reason, written beside every change of the transaction. Raises ReasonNeeded."""
        if len(text.strip()) < LEAST_REASON:
            raise errors.ReasonNeeded()
        give_reason(self.session, text.strip())
        return text.strip()

    def add(self, row: Any) -> None:
        """Add a row; a constraint that refuses speaks as its rule."""
        with refusals_of_database(self.session):
            self.session.add(row)

    def flush(self) -> None:
        """Write what changed; a constraint that refuses speaks as its rule."""
        with refusals_of_database(self.session):
            self.session.flush()

    def tell(self, event: StayEvent, stay: HospitalStay) -> None:
        """Announce an event of the stay."""
        announce(self.session, event(stay.id, stay.patient_id, stay.owner_organisation_id), self.clock, self.zone)

    @staticmethod
    def part_of(stay: HospitalStay) -> dict[str, Any]:
        """What every part of a stay repeats of it."""
        return {
            "stay_id": stay.id,
            "patient_id": stay.patient_id,
            "owner_organisation_id": stay.owner_organisation_id,
        }
