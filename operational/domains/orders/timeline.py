"""What orders, results and images put on the patient's card."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.orm import Session

from operational.domains.orders import repository, views
from operational.domains.patients.card import (
    CardAction,
    TimelineEntry,
    TimelineQuery,
    TimelineSource,
    register_card_action,
    register_timeline_source,
)
from operational.web.texts import translate

# So many values are named in a line of the card; the report has them all.
NAMED = 6


def _orders(session: Session, query: TimelineQuery) -> list[TimelineEntry]:
    rows = repository.orders_of(session, query.patient_ids, limit=query.limit)
    tests = repository.tests(session, [row.id for row in rows])
    coded = repository.coded_names(session, "modality", "body_part")
    return [
        TimelineEntry(
            at=row.ordered_at,
            kind="order",
            key=row.id,
            title=translate(query.language, f"orders.timeline.{row.category}", number=row.accession_number),
            lines=(
                views.title_of(row, tests.get(row.id, []), coded, query.language),
                translate(query.language, f"orders.status.{row.status}"),
            ),
            url=f"/orders/{row.id}",
            tone=views.ORDER_TONES[row.status],
        )
        for row in rows
    ]


def _count_orders(session: Session, patient_ids: tuple[int, ...]) -> int:
    return repository.count_orders(session, patient_ids)


def _reports(session: Session, query: TimelineQuery) -> list[TimelineEntry]:
    reports = repository.reports_of(session, query.patient_ids, limit=query.limit)
    lines = views.value_lines(session, [report.id for report in reports], query.language)
    found = []
    for report in reports:
        own = [line for line in lines if line.row.report_id == report.id]
        state = "voided" if report.voided_at else report.status
        found.append(
            TimelineEntry(
                at=report.issued_at,
                kind="report",
                key=report.id,
                title=translate(query.language, f"results.timeline.{report.category}"),
                lines=(
                    _named(own, query.language) or (report.conclusion or "")[:200],
                    translate(query.language, f"results.status.{state}"),
                ),
                url=f"/results/{report.id}",
                tone="danger" if report.voided_at else _tone(own),
            )
        )
    return found


def _named(lines: Sequence[views.ValueLine], language: str) -> str:
    """The abnormal values in words; how many there are in all when none is."""
    abnormal = [line for line in lines if line.abnormal]
    if not lines:
        return ""
    if not abnormal:
        return translate(language, "results.timeline.all_normal", n=len(lines))
    named = ", ".join(
        f"{line.name} {line.value} {line.row.unit or ''} {line.mark}".strip() for line in abnormal[:NAMED]
    )
    rest = len(abnormal) - NAMED
    return f"{named} +{rest}" if rest > 0 else named


def _tone(lines: Sequence[views.ValueLine]) -> str:
    return "warning" if any(line.abnormal for line in lines) else "ok"


def _count_reports(session: Session, patient_ids: tuple[int, ...]) -> int:
    return repository.count_reports(session, patient_ids)


def _studies(session: Session, query: TimelineQuery) -> list[TimelineEntry]:
    coded = repository.coded_names(session, "modality", "body_part")

    def name(kind: str, code: str | None) -> str:
        return views.localized(coded.get((kind, code or "")), query.language, code or "")

    return [
        TimelineEntry(
            at=row.started_at,
            kind="study",
            key=row.id,
            title=translate(query.language, "images.timeline", what=name("modality", row.modality) or "DICOM"),
            lines=(
                " · ".join(part for part in (name("body_part", row.body_part), row.description) if part),
                translate(query.language, "images.counts", series=row.series, instances=row.instances),
            ),
            url=f"/images/{row.id}",
            tone="info",
        )
        for row in repository.studies_of(session, query.patient_ids, limit=query.limit)
    ]


def _count_studies(session: Session, patient_ids: tuple[int, ...]) -> int:
    return repository.count_studies(session, patient_ids)


def register() -> None:
    """Put orders, results and images on every card; called once by the composition."""
    for source in (
        TimelineSource("order", "orders.timeline", "orders.read", _orders, _count_orders, icon="list"),
        TimelineSource("report", "results.timeline", "results.read", _reports, _count_reports, icon="document"),
        TimelineSource("study", "images.timeline_kind", "imaging.read", _studies, _count_studies, icon="table"),
    ):
        register_timeline_source(source)
    register_card_action(CardAction("orders.new", "/orders/new?patient={patient_id}", "orders.write", icon="list"))
