"""What people do with a signal case: see it, say what they did, hand it over, close it, open it again."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from kmis.clock import Clock, local_date
from operational.domains.catalogs.files import kinds
from operational.domains.home_visits import service as home_visits
from operational.domains.home_visits.models import HomeCall
from operational.domains.monitoring.models import SignalCase
from operational.domains.monitoring.signals import closing, errors, opening, repository
from operational.domains.monitoring.signals.evidence import gathering
from operational.domains.monitoring.signals.evidence import repository as evidence
from operational.domains.monitoring.signals.opening import Cause
from operational.domains.monitoring.signals.schemas import AskForVisit, Close, OpenSignal, Visited
from operational.kit.access import scope_of
from operational.kit.audit import audit
from operational.kit.db import give_reason
from operational.kit.errors import NotFound
from signal_sheets.rules import Proposal, rule_of

ALL = "signals.all"
# Positions whose holder answers as a nurse.
MIDDLE = "middle"
TOLERANCE = timedelta(minutes=5)


class Signals:
    """The use cases of a signal case for one session."""

    def __init__(self, session: Session, clock: Clock, zone: ZoneInfo) -> None:
        self.session = session
        self.clock = clock
        self.zone = zone

    def get(self, key: int) -> SignalCase:
        """A case of the user's organisations. Raises NotFound."""
        case = repository.case(self.session, key)
        if case is None:
            raise NotFound()
        return case

    def show(self, key: int) -> SignalCase:
        """Open a case on the screen; whoever it is addressed to has thereby seen it. The opening is audited."""
        case = self.get(key)
        if self.addressed(case) and case.seen_at is None and case.state != "closed":
            case = self._locked(key)
            now = self.clock.now()
            self._deliver(case, now)
            case.seen_at = now
            if case.state == "delivered":
                case.state = "seen"
            closing.note(self.session, case, "seen", now)
            self.session.flush()
        audit(self.session, "signal.opened", object_table="signal_case", object_id=key)
        return case

    def delivered(self, cases: list[SignalCase]) -> None:
        """Cases that stand on the screen of whom they are addressed to are delivered."""
        now = self.clock.now()
        shown = sorted(case.id for case in cases if case.state == "opened" and self.addressed(case))
        # Read again under the lock: the worker may have closed one since the list was read.
        waiting = [case for case in map(self._locked, shown) if case.state == "opened"]
        for case in waiting:
            self._deliver(case, now)
        if waiting:
            self.session.flush()

    def contacted(self, key: int, note: str) -> SignalCase:
        """The patient, the family or the hospital was spoken to; the note says what came of it."""
        case = self._workable(key)
        if not note.strip():
            raise errors.NoteNeeded()
        now = self.clock.now()
        case.contacted_at = case.contacted_at or now
        if case.state != "visited":
            case.state = "contacted"
        return self._done(case, "contacted", now, note)

    def visited(self, key: int, wanted: Visited) -> SignalCase:
        """The patient was seen; a case whose rule waits for a visit is closed by it."""
        case = self._workable(key)
        if case.subject == "death":
            raise errors.NobodyToVisit()
        now = self.clock.now()
        at = self._moment(wanted.at) or now
        if at > now + TOLERANCE:
            raise errors.VisitInFuture()
        if at < case.event_at:
            raise errors.VisitBeforeEvent()
        case.visited_at, case.state = at, "visited"
        self._done(case, "visited", now, wanted.note)
        rule = rule_of(case.rule_code, case.rule_version)
        if rule is not None and "visit" in rule.closes_on:
            closing.close(self.session, case, closing.VISITED, now, detail={"by": "person"})
        return case

    def noted(self, key: int, note: str) -> SignalCase:
        """Add a note."""
        case = self._workable(key)
        if not note.strip():
            raise errors.NoteNeeded()
        return self._done(case, "note", self.clock.now(), note)

    def take(self, key: int) -> SignalCase:
        """Answer for a case oneself: from the queue, or in a colleague's place."""
        scope = scope_of(self.session)
        return self._hand_over(self._locked(key), scope.practitioner_id)

    def assign(self, key: int, practitioner_id: int) -> SignalCase:
        """Hand a case over to somebody of the staff; an addressee, or who sees all cases, does it."""
        return self._hand_over(self._workable(key), practitioner_id)

    def close(self, key: int, wanted: Close) -> SignalCase:
        """Close a case with an outcome that a person may choose."""
        case = self._workable(key)
        known = {row.code for row in repository.outcomes(self.session)}
        if wanted.outcome not in known or kinds("signal_outcome").get(wanted.outcome) == "system":
            raise errors.OutcomeUnknown()
        now = self.clock.now()
        seen_at = now if wanted.outcome == closing.VISITED and case.visited_at is None else None
        closing.close(
            self.session, case, wanted.outcome, now, visited_at=seen_at, note_text=wanted.note or None,
            detail={"by": "person"},
        )  # fmt: skip
        audit(self.session, "signal.closed", object_table="signal_case", object_id=key, detail={"o": wanted.outcome})
        return case

    def reopen(self, key: int, reason: str) -> SignalCase:
        """Open a closed case again, with a reason; what was done before does not close it a second time."""
        case = self._locked(key)
        self._mine(case)
        if case.state != "closed":
            raise errors.CaseOpen()
        if len(reason.strip()) < 3:
            raise errors.ReasonNeeded()
        give_reason(self.session, reason.strip())
        now = self.clock.now()
        rule = rule_of(case.rule_code, case.rule_version)
        hours = rule.late_hours if rule is not None else 24
        case.state, case.closed_at, case.outcome, case.visited_at = closing.reached(case), None, None, None
        case.due_at = max(case.due_at, now + timedelta(hours=hours))
        closing.note(self.session, case, "reopened", now, note_text=reason.strip(), detail={"by": "person"})
        self.session.flush()
        audit(self.session, "signal.reopened", object_table="signal_case", object_id=key, reason=reason.strip())
        return case

    def ask_for_visit(self, key: int, wanted: AskForVisit, complaint: str) -> HomeCall:
        """Create the active that the case asks for; its performance closes the case."""
        case = self._workable(key)
        if case.subject == "death":
            raise errors.NobodyToVisit()
        now = self.clock.now()
        due_at = self._moment(wanted.due_at) or max(case.due_at, now + timedelta(hours=1))
        call = home_visits.create_active(
            self.session, self.clock, self.zone, case.patient_id, "signal", wanted.note.strip() or complaint, due_at,
            case.owner_organisation_id, site_id=case.site_id, practitioner_id=case.practitioner_id,
            urgency="urgent" if case.severity == "critical" else "routine",
        )  # fmt: skip
        closing.note(self.session, case, "note", now, note_text=wanted.note or None, detail={"active": call.id})
        self.session.flush()
        return call

    def open(self, wanted: OpenSignal) -> int:
        """Open the case that a rule over history proposes; the rule says the rest. Returns its key."""
        rule = rule_of(wanted.rule_code)
        day = local_date(wanted.event_at, self.zone)
        if rule is None or not rule.valid_on(day):
            raise errors.RuleUnknown()
        if set(wanted.reasons) - set(rule.reasons):
            raise errors.ReasonUnknown()
        if wanted.icd10_code and not repository.icd10(self.session, [wanted.icd10_code]):
            raise errors.DiagnosisUnknown()
        person = evidence.patient(self.session, wanted.patient_id)
        if person is None:
            raise NotFound("patient_id")
        owner = evidence.owner_of(self.session, rule.subject, wanted.subject_id, wanted.patient_id)
        if owner is None:
            raise errors.SubjectOfAnother()
        answers = gathering.who_answers(self.session, wanted.patient_id, day, owner)
        proposal = Proposal(rule, wanted.subject_id, wanted.reasons, wanted.icd10_code, wanted.event_at)
        cause = Cause(wanted.patient_id, wanted.origin_organisation_id, wanted.recommendations)
        key = opening.open_case(self.session, proposal, cause, answers, self.clock, self.zone)
        audit(self.session, "signal.proposed", object_table="signal_case", object_id=key)
        return key

    def addressed(self, case: SignalCase) -> bool:
        """Whether the user is one of those who answer for the case."""
        acting = scope_of(self.session).practitioner_id
        return acting is not None and acting in (case.practitioner_id, case.nurse_id)

    def workable(self, case: SignalCase) -> bool:
        """Whether the user may act on the case without taking it first."""
        return self.addressed(case) or scope_of(self.session).may(ALL)

    def _hand_over(self, case: SignalCase, practitioner_id: int | None) -> SignalCase:
        if case.state == "closed":
            raise errors.CaseClosed()
        now = self.clock.now()
        role = None
        if practitioner_id is not None:
            day = local_date(now, self.zone)
            role = repository.role_in(self.session, practitioner_id, case.owner_organisation_id, day)
        if role is None:
            raise errors.NotOnTheStaff()
        if kinds("position").get(role.position_code) == MIDDLE and case.audience == "site":
            case.nurse_id = practitioner_id
        else:
            case.practitioner_id = practitioner_id
        closing.note(self.session, case, "assigned", now, detail={"practitioner_id": practitioner_id})
        self.session.flush()
        audit(self.session, "signal.assigned", object_table="signal_case", object_id=case.id)
        return case

    def _deliver(self, case: SignalCase, now: datetime) -> None:
        if case.delivered_at is None:
            case.delivered_at = now
            closing.note(self.session, case, "delivered", now)
        if case.state == "opened":
            case.state = "delivered"

    def _done(self, case: SignalCase, kind: str, now: datetime, note: str) -> SignalCase:
        closing.note(self.session, case, kind, now, note_text=note.strip() or None)
        self.session.flush()
        audit(self.session, f"signal.{kind}", object_table="signal_case", object_id=case.id)
        return case

    def _locked(self, key: int) -> SignalCase:
        case = repository.case(self.session, key, lock=True)
        if case is None:
            raise NotFound()
        return case

    def _workable(self, key: int) -> SignalCase:
        case = self._locked(key)
        self._mine(case)
        if case.state == "closed":
            raise errors.CaseClosed()
        return case

    def _mine(self, case: SignalCase) -> None:
        if not self.workable(case):
            raise errors.NotYourCase()

    def _moment(self, typed: datetime | None) -> datetime | None:
        """A typed moment is one of the organisation's clock."""
        return typed.replace(tzinfo=self.zone) if typed is not None and typed.tzinfo is None else typed
