"""What happens to a home call: registered, handed over, performed, not found at home, cancelled, opened again."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from kmis.clock import Clock, local_date
from operational.domains.home_visits import errors, repository, ruleset
from operational.domains.home_visits.models import HomeCall
from operational.domains.home_visits.schemas import EditCall, PerformCall, RegisterCall, Source, Urgency
from operational.domains.patients.models import Patient
from operational.events.home_visits import HomeCallDone
from operational.kit.access import scope_of
from operational.kit.audit import audit
from operational.kit.db import give_reason
from operational.kit.errors import NotFound, constraint_of
from operational.kit.events import announce

LEAST_REASON = 3  # letters
REFUSALS = {
    "ck_home_call_assigned_to_someone": errors.AssignedToNobody,
    "ck_home_call_performed_after_call": errors.PerformedBeforeCall,
    "ck_home_call_due": errors.DueBeforeCall,
    "ck_home_call_cancel_has_reason": errors.ReasonNeeded,
    "fk_home_call_encounter": errors.VisitOfAnother,
    "fk_home_call_site": errors.SiteOfAnother,
}


def create_active(
    session: Session, clock: Clock, zone: ZoneInfo, patient_id: int, source: Source, complaint: str,
    due_at: datetime | None, organisation_id: int, *, site_id: int | None = None, practitioner_id: int | None = None,
    urgency: Urgency = "routine",
) -> HomeCall:  # fmt: skip
    """Ask for an active visit in an organisation of the scope; site and doctor come from attachment when left out.

    Raises the refusals of ``HomeCalls.register``.
    """
    wanted = RegisterCall(
        patient_id=patient_id, kind="active", source=source, complaint=complaint, due_at=due_at, site_id=site_id,
        practitioner_id=practitioner_id, urgency=urgency,
    )  # fmt: skip
    return HomeCalls(session, clock, zone).register(wanted, organisation_id=organisation_id, hand_over=True)


class HomeCalls:
    """The use cases of home calls for one session."""

    def __init__(self, session: Session, clock: Clock, zone: ZoneInfo) -> None:
        self.session = session
        self.clock = clock
        self.zone = zone

    def get(self, key: int) -> HomeCall:
        """A call in the user's scope. Raises NotFound."""
        call = repository.call(self.session, key)
        if call is None:
            raise NotFound()
        return call

    def register(
        self, wanted: RegisterCall, *, organisation_id: int | None = None, hand_over: bool = False
    ) -> HomeCall:
        """Write a call into the journal. The site follows from attachment where none is chosen.

        With ``hand_over`` the site's doctor gets it at once where nobody is named. Raises a BusinessError that names
        the field.
        """
        scope = scope_of(self.session)
        patient = repository.patient(self.session, wanted.patient_id)
        if patient is None or patient.voided_at is not None:
            raise NotFound("patient_id")
        called = self._moment(wanted.called_at) or self.clock.now()
        self._within_life(patient, called)
        day = local_date(called, self.zone)
        among = scope.organisation_ids if organisation_id is None else frozenset({organisation_id})
        proposed = repository.proposal(self.session, patient.id, among, day)
        owner, site = self._served_by(wanted.site_id, proposed, organisation_id or scope.home_organisation_id)
        practitioner = wanted.practitioner_id
        if practitioner is None and hand_over and site is not None:
            practitioner = repository.site_doctor(self.session, site, day)
        if practitioner is not None and not repository.is_staff(self.session, practitioner, owner, day):
            raise errors.NotOnTheStaff()
        call = HomeCall(
            owner_organisation_id=owner, patient_id=patient.id, site_id=site, kind=wanted.kind, source=wanted.source,
            urgency=wanted.urgency, called_at=called, due_at=self._due(wanted.due_at, called, wanted.urgency),
            complaint=wanted.complaint, address=wanted.address or patient.address, phone=wanted.phone or patient.phone,
            temperature_note=wanted.temperature_note or None, practitioner_id=practitioner,
            status="assigned" if practitioner else "registered",
            assigned_at=self.clock.now() if practitioner else None,
        )  # fmt: skip
        self.session.add(call)
        self._flush()
        audit(self.session, "home_call.registered", object_table="home_call", object_id=call.id,
              organisation_id=owner)  # fmt: skip
        return call

    def edit(self, key: int, wanted: EditCall) -> HomeCall:
        """Change what an open call says; times and site left out stay as they are."""
        call = self._open(key)
        patient = repository.patient(self.session, call.patient_id)
        called = self._moment(wanted.called_at) or call.called_at
        if patient is not None:
            self._within_life(patient, called)
        due = self._moment(wanted.due_at)
        if due is None:
            changed = called != call.called_at or wanted.urgency != call.urgency
            due = ruleset.due_at(called, wanted.urgency, self.zone) if changed else call.due_at
        if due < called:
            raise errors.DueBeforeCall()
        call.source, call.urgency, call.called_at, call.due_at = wanted.source, wanted.urgency, called, due
        call.complaint, call.address, call.phone = wanted.complaint, wanted.address or None, wanted.phone or None
        call.temperature_note = wanted.temperature_note or None
        if wanted.site_id is not None:
            call.site_id = wanted.site_id
        self._flush()
        audit(self.session, "home_call.edited", object_table="home_call", object_id=key)
        return call

    def assign(self, key: int, practitioner_id: int | None) -> HomeCall:
        """Hand a call over to somebody of the staff, or to somebody else than before."""
        call = self._open(key)
        if practitioner_id is None:
            raise errors.AssignedToNobody()
        today = local_date(self.clock.now(), self.zone)
        if not repository.is_staff(self.session, practitioner_id, call.owner_organisation_id, today):
            raise errors.NotOnTheStaff()
        call.practitioner_id, call.status, call.assigned_at = practitioner_id, "assigned", self.clock.now()
        self._flush()
        audit(self.session, "home_call.assigned", object_table="home_call", object_id=key,
              detail={"practitioner_id": practitioner_id})  # fmt: skip
        return call

    def perform(self, key: int, wanted: PerformCall, *, found: bool = True) -> HomeCall:
        """Write down what came of the call, or that nobody was at home.

        Somebody on whom it was not laid takes it over by performing it. HomeCallDone is announced when it was done.
        """
        call = self._open(key)
        if found and len(wanted.result_note) < LEAST_REASON:
            raise errors.ResultNeeded()
        performed = self._moment(wanted.performed_at) or self.clock.now()
        if performed > self.clock.now() + timedelta(minutes=5):
            raise errors.PerformedInFuture()
        if _minute(performed) == _minute(call.called_at):
            # Forms tell the minute: what is done in the minute of the call came after it.
            performed = max(performed, call.called_at)
        if performed < call.called_at:
            raise errors.PerformedBeforeCall()
        practitioner = call.practitioner_id or scope_of(self.session).practitioner_id
        if practitioner is None:
            raise errors.AssignedToNobody()
        if wanted.encounter_id is not None:
            visit = repository.encounter(self.session, wanted.encounter_id)
            if visit is None or visit.patient_id != call.patient_id or visit.place != "home" or visit.voided_at:
                raise errors.VisitOfAnother()
        call.practitioner_id, call.performed_at = practitioner, performed
        call.encounter_id = wanted.encounter_id if found else None
        call.result_note = wanted.result_note or None
        call.status = "done" if found else "not_found"
        self._flush()
        audit(self.session, f"home_call.{call.status}", object_table="home_call", object_id=key)
        if found:
            event = HomeCallDone(call.id, call.patient_id, call.owner_organisation_id)
            announce(self.session, event, self.clock, self.zone)
        return call

    def cancel(self, key: int, reason: str) -> HomeCall:
        """Cancel an open call, with the reason."""
        call = self._open(key)
        call.cancel_reason = self._reason(reason)
        call.status = "cancelled"
        self._flush()
        audit(self.session, "home_call.cancelled", object_table="home_call", object_id=key, reason=reason)
        return call

    def reopen(self, key: int, reason: str) -> HomeCall:
        """Take back that a call was performed, unanswered or cancelled."""
        call = self._known(key)
        if call.status in repository.OPEN:
            raise errors.CallNotClosed()
        self._reason(reason)
        call.status = "assigned" if call.practitioner_id else "registered"
        call.performed_at = call.encounter_id = call.result_note = call.cancel_reason = None
        self._flush()
        audit(self.session, "home_call.reopened", object_table="home_call", object_id=key, reason=reason)
        return call

    def void(self, key: int, reason: str) -> HomeCall:
        """Mark a call as entered in error; it leaves every figure and stays in the card, marked."""
        call = self._known(key)
        call.void_reason, call.voided_at = self._reason(reason), self.clock.now()
        self._flush()
        audit(self.session, "home_call.voided", object_table="home_call", object_id=key, reason=reason)
        return call

    def restore(self, key: int, reason: str) -> HomeCall:
        """Take a void back."""
        call = repository.call(self.session, key, lock=True)
        if call is None or call.voided_at is None:
            raise NotFound()
        self._reason(reason)
        call.voided_at = call.void_reason = None
        self._flush()
        audit(self.session, "home_call.restored", object_table="home_call", object_id=key, reason=reason)
        return call

    def _served_by(
        self, site_id: int | None, proposed: repository.Proposal | None, organisation_id: int | None
    ) -> tuple[int, int | None]:
        """The organisation and the site that serve the call."""
        if site_id is not None:
            site = repository.site(self.session, site_id)
            if site is None or site.organisation_id not in scope_of(self.session).organisation_ids:
                raise errors.SiteOfAnother()
            return site.organisation_id, site.id
        if proposed is not None:
            return proposed.organisation_id, proposed.site_id
        if organisation_id is None:
            raise errors.SiteOfAnother()
        return organisation_id, None

    def _within_life(self, patient: Patient, called: datetime) -> None:
        if called > self.clock.now() + timedelta(minutes=5):
            raise errors.CalledInFuture()
        day = local_date(called, self.zone)
        if patient.birth_date and day < patient.birth_date:
            raise errors.CalledBeforeBirth()
        if patient.death_date and day > patient.death_date:
            raise errors.CallerDied()

    def _due(self, typed: datetime | None, called: datetime, urgency: str) -> datetime:
        due = self._moment(typed) or ruleset.due_at(called, urgency, self.zone)
        if due < called:
            raise errors.DueBeforeCall()
        return due

    def _moment(self, value: datetime | None) -> datetime | None:
        """A typed time belongs to the organisation's clock."""
        return value.replace(tzinfo=self.zone) if value is not None and value.tzinfo is None else value

    def _reason(self, reason: str) -> str:
        if len(reason.strip()) < LEAST_REASON:
            raise errors.ReasonNeeded()
        give_reason(self.session, reason.strip())
        return reason.strip()

    def _known(self, key: int) -> HomeCall:
        call = repository.call(self.session, key, lock=True)
        if call is None:
            raise NotFound()
        if call.voided_at is not None:
            raise errors.CallVoided()
        return call

    def _open(self, key: int) -> HomeCall:
        call = self._known(key)
        if call.status not in repository.OPEN:
            raise errors.CallClosed()
        return call

    def _flush(self) -> None:
        try:
            self.session.flush()
        except IntegrityError as error:
            refusal = REFUSALS.get(constraint_of(error))
            if refusal is None:
                raise
            raise refusal() from None


def _minute(moment: datetime) -> datetime:
    return moment.replace(second=0, microsecond=0)
