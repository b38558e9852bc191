"""What happens to an order: made, cancelled, restored; its state follows its results."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from kmis.clock import Clock, local_date
from operational.domains.catalogs import repository as catalog_rows
from operational.domains.catalogs import service as catalogs
from operational.domains.orders import errors, repository
from operational.domains.orders.models import DiagnosticOrder, DiagnosticReport, ImagingStudy, OrderTest
from operational.domains.orders.schemas import NewOrder
from operational.domains.patients import repository as patients
from operational.domains.patients.models import Patient
from operational.kit.access import scope_of
from operational.kit.audit import audit
from operational.kit.db import give_reason
from operational.kit.errors import BusinessError, Conflict, NotFound, constraint_of

# A clock of a terminal may be a little ahead.
SLACK = timedelta(minutes=5)
# An order of the last day is finished after a death (the database holds the same).
AFTER_DEATH = timedelta(hours=24)
REFUSALS: dict[str, type[BusinessError]] = {
    "fk_diagnostic_order_encounter": errors.EncounterOfAnother,
    "fk_diagnostic_order_performing_organisation_id": errors.PerformerUnknown,
    "fk_order_test_test_code": errors.UnknownTest,
    "ck_diagnostic_order_before_death": errors.OrderAfterDeath,
    "ck_diagnostic_report_order_active": errors.OrderCancelled,
    "ck_diagnostic_report_collected": errors.CollectedInFuture,
    "uq_lab_result_test": errors.TestTwice,
    "uq_diagnostic_report_filler": Conflict,
}


def flush(session: Session) -> None:
    """Send what was changed; what the database refuses becomes the refusal that belongs to it."""
    try:
        session.flush()
    except IntegrityError as error:
        refusal = REFUSALS.get(constraint_of(error))
        if refusal is None:
            raise
        raise refusal() from None


def reason_of(session: Session, reason: str) -> str:
    """The reason, written beside every change of the transaction. Raises ReasonNeeded."""
    text = reason.strip()
    if len(text) < 3:
        raise errors.ReasonNeeded()
    give_reason(session, text)
    return text


class Orders:
    """The use cases of an order for one session."""

    def __init__(self, session: Session, clock: Clock, zone: ZoneInfo) -> None:
        self.session = session
        self.clock = clock
        self.zone = zone

    def place(self, wanted: NewOrder) -> DiagnosticOrder:
        """Make an order; its accession number is given by the database. Raises a BusinessError that names the field."""
        scope = scope_of(self.session)
        now = self.clock.now()
        ordered = self.aware(wanted.ordered_at) or now
        if ordered > now + SLACK:
            raise errors.OrderInFuture()
        patient = self._patient(wanted.patient_id, ordered)
        if wanted.encounter_id is not None:
            self._of_patient(wanted.encounter_id, patient)
        day = local_date(ordered, self.zone)
        role = None
        if scope.practitioner_id is not None:
            role = repository.role_on(self.session, scope.practitioner_id, scope.organisation_ids, day)
        owner = role.organisation_id if role else scope.home_organisation_id
        if owner is None or owner not in scope.organisation_ids:
            raise errors.OrganisationOutsideScope("performing_organisation_id")
        department_id = wanted.department_id or (role.department_id if role else None)
        department = repository.department(self.session, department_id)
        if department_id is not None and (department is None or department.organisation_id != owner):
            raise errors.DepartmentOfAnother()
        performer = wanted.performing_organisation_id or owner
        if performer not in {key for key, _ in repository.performers(self.session, day)} | {owner}:
            raise errors.PerformerUnknown()
        self._coded(wanted)
        row = DiagnosticOrder(
            owner_organisation_id=owner,
            patient_id=patient.id,
            category=wanted.category,
            encounter_id=wanted.encounter_id,
            practitioner_id=scope.practitioner_id,
            department_id=department_id,
            performing_organisation_id=performer,
            priority=wanted.priority,
            icd10_code=wanted.icd10_code,
            clinical_note=wanted.clinical_note,
            ordered_at=ordered,
        )
        if wanted.category == "imaging":
            self._imaging(row, wanted, performer, now)
            codes: list[str] = []
        else:
            codes = self._tests(wanted.tests, wanted.panels)
        self.session.add(row)
        flush(self.session)
        self.session.add_all(
            OrderTest(owner_organisation_id=owner, order_id=row.id, patient_id=patient.id, test_code=code)
            for code in codes
        )
        flush(self.session)
        audit(self.session, "order.placed", object_table="diagnostic_order", object_id=row.id)
        return row

    def get(self, key: int) -> DiagnosticOrder:
        """An order that the user's organisations made or perform. Raises NotFound."""
        row = repository.order(self.session, key)
        if row is None:
            raise NotFound()
        return row

    def cancel(self, key: int, reason: str) -> DiagnosticOrder:
        """Cancel an order that has no results, with a reason."""
        row = self.locked(key)
        if row.status == "cancelled":
            raise errors.OrderCancelled()
        if row.status == "completed" or repository.reports(self.session, key):
            raise errors.OrderHasResults()
        text = reason_of(self.session, reason)
        row.status, row.cancelled_at, row.cancel_reason = "cancelled", self.clock.now(), text
        flush(self.session)
        audit(self.session, "order.cancelled", object_table="diagnostic_order", object_id=key, reason=text)
        return row

    def restore(self, key: int, reason: str) -> DiagnosticOrder:
        """Take a cancellation back."""
        row = self.locked(key)
        if row.status != "cancelled":
            raise errors.OrderNotCancelled()
        text = reason_of(self.session, reason)
        row.cancelled_at = row.cancel_reason = None
        row.status = "active"
        settle(self.session, row, self.clock.now())
        audit(self.session, "order.restored", object_table="diagnostic_order", object_id=key, reason=text)
        return row

    def locked(self, key: int) -> DiagnosticOrder:
        """The order, held until the transaction ends. Raises NotFound."""
        row = repository.order(self.session, key, lock=True)
        if row is None:
            raise NotFound()
        return row

    def aware(self, moment: datetime | None) -> datetime | None:
        """The moment; a naive one is on the clock of the organisation."""
        if moment is None or moment.tzinfo is not None:
            return moment
        return moment.replace(tzinfo=self.zone)

    def _patient(self, key: int, ordered: datetime) -> Patient:
        patient = patients.get(self.session, key)
        if patient is None or patient.voided_at is not None:
            raise NotFound("patient_id")
        day = local_date(ordered, self.zone)
        if patient.birth_date is not None and day < patient.birth_date:
            raise errors.OrderBeforeBirth()
        if patient.death_date is not None and local_date(ordered - AFTER_DEATH, self.zone) > patient.death_date:
            raise errors.OrderAfterDeath()
        return patient

    def _of_patient(self, encounter_id: int, patient: Patient) -> None:
        found = repository.encounter_patient(self.session, encounter_id)
        if found is None:
            raise NotFound("encounter_id")
        if found != patient.id:
            raise errors.EncounterOfAnother()

    def _coded(self, wanted: NewOrder) -> None:
        if wanted.icd10_code is not None:
            try:
                catalogs.icd10(self.session, wanted.icd10_code)
            except catalogs.UnknownCode:
                raise errors.UnknownIcd10() from None
        if wanted.service_code is not None:
            try:
                catalogs.service(self.session, wanted.service_code, local_date(self.clock.now(), self.zone))
            except catalogs.UnknownCode:
                raise errors.UnknownService() from None
        if wanted.category == "imaging" and wanted.modality is None:
            raise errors.ModalityMissing()
        for directory, code in (("modality", wanted.modality), ("body_part", wanted.body_part)):
            if code is not None and code not in {v.code for v in catalogs.values(self.session, directory)}:
                raise errors.UnknownCode(directory)

    def _imaging(self, row: DiagnosticOrder, wanted: NewOrder, performer: int, now: datetime) -> None:
        row.modality, row.body_part, row.service_code = wanted.modality, wanted.body_part, wanted.service_code
        row.scheduled_at = self.aware(wanted.scheduled_at) or now
        if row.scheduled_at < now - SLACK:
            raise errors.ScheduledInPast()
        if wanted.station_aet is not None:
            known = [d for d in repository.stations(self.session, [performer]) if d.address == wanted.station_aet]
            if not known or known[0].modality not in (None, wanted.modality):
                raise errors.StationUnknown()
        row.station_aet = wanted.station_aet

    def _tests(self, chosen: Sequence[str], panels: Collection[str]) -> list[str]:
        """The codes of the chosen tests and of all tests of the chosen panels, each once."""
        active = catalog_rows.lab_tests(self.session)
        known = {test.code for test in active}
        codes = list(dict.fromkeys([*chosen, *(test.code for test in active if test.panel in panels)]))
        if not codes:
            raise errors.NothingOrdered()
        if not known.issuperset(codes):
            raise errors.UnknownTest()
        return codes


def settle(session: Session, order: DiagnosticOrder, now: datetime) -> None:
    """Set an order's state to what its reports say: all tests final, some delivered, or none."""
    if order.status == "cancelled":
        return
    session.flush()
    reports, studies = repository.reports(session, order.id), repository.studies_of_order(session, order.id)
    if _complete(session, order, reports, studies):
        order.status, order.completed_at = "completed", order.completed_at or now
    else:
        delivered = bool(reports) or bool(studies)
        order.status, order.completed_at = ("in_progress" if delivered else "active"), None
    flush(session)


def _complete(
    session: Session, order: DiagnosticOrder, reports: Sequence[DiagnosticReport], studies: Sequence[ImagingStudy]
) -> bool:
    """Images are done once there or described; tests when each has a value, or, with none named, by one report."""
    final = [report for report in reports if report.status != "preliminary"]
    if order.category == "imaging":
        return bool(final) or any(study.status == "available" for study in studies)
    wanted = {test.code for test in repository.tests(session, [order.id]).get(order.id, [])}
    rows = repository.results(session, [report.id for report in final])
    return bool(final) and wanted <= {row.test_code for row, _ in rows if row.status != "preliminary"}
