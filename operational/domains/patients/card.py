"""The digital medical card: what higher domains put on it, and its timeline in order of time.

A domain that writes about patients registers a source of timeline entries and, where it has one, an action
for the card's header.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from operational.domains.patients import repository
from operational.domains.patients.models import Patient
from operational.web.texts import has_text, translate


@dataclass(frozen=True, slots=True)
class TimelineQuery:
    """Entries of these records (a person may have several merged ones), newest first, ``limit`` at most."""

    patient_ids: tuple[int, ...]
    language: str
    zone: str
    limit: int


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """Something that happened. ``key`` tells entries of one kind apart; ``tone`` is that of ``ui.event``."""

    at: datetime
    kind: str
    key: int
    title: str
    lines: tuple[str, ...] = ()
    url: str | None = None
    tone: str = "neutral"
    has_time_flag: bool = True


@dataclass(frozen=True, slots=True)
class TimelineSource:
    """Gives and counts the entries of one kind; shown to holders of ``permission``."""

    kind: str
    text_key: str
    permission: str | None
    entries: Callable[[Session, TimelineQuery], Sequence[TimelineEntry]]
    count: Callable[[Session, tuple[int, ...]], int]
    icon: str = "dot"


def living(patient: Patient, today: date) -> bool:
    """Whether nothing speaks against treating this person today."""
    return patient.death_date is None


@dataclass(frozen=True, slots=True)
class CardAction:
    """A button of the card's header; ``url`` holds ``{patient_id}``, ``applies`` says on whose card it stands."""

    text_key: str
    url: str
    permission: str
    icon: str = "dot"
    applies: Callable[[Patient, date], bool] = living
    order: int = 50


@dataclass(frozen=True, slots=True)
class TimelinePage:
    """One page of the timeline; ``counts`` are of every kind that the reader may see."""

    entries: Sequence[TimelineEntry]
    sources: Sequence[TimelineSource]
    counts: dict[str, int]
    total: int
    page: int
    pages: int


_sources: dict[str, TimelineSource] = {}
_actions: dict[str, CardAction] = {}


def register_timeline_source(source: TimelineSource) -> None:
    """Put entries of a kind on every card; a kind registered again is replaced."""
    _sources[source.kind] = source


def register_card_action(action: CardAction) -> None:
    """Put a button on every card; the same text registered again is replaced."""
    _actions[action.text_key] = action


def actions_for(permissions: Collection[str], patient: Patient, today: date) -> list[CardAction]:
    """The buttons of the reader on this person's card; the first is the one that stands out."""
    offered = (a for a in _actions.values() if a.permission in permissions and a.applies(patient, today))
    return sorted(offered, key=lambda action: action.order)


def sources_for(permissions: Collection[str]) -> list[TimelineSource]:
    """The kinds of entries that the reader may see, the register's own last."""
    known = [*_sources.values(), ATTACHMENTS, RECORDS]
    return [source for source in known if source.permission is None or source.permission in permissions]


def timeline(
    session: Session,
    query: TimelineQuery,
    permissions: Collection[str],
    *,
    kinds: Collection[str] = (),
    page: int = 1,
) -> TimelinePage:
    """Entries of all sources in order of time, newest first; ``query.limit`` is the length of a page."""
    sources = sources_for(permissions)
    counts = {source.kind: source.count(session, query.patient_ids) for source in sources}
    chosen = [source for source in sources if not kinds or source.kind in kinds]
    total = sum(counts[source.kind] for source in chosen)
    pages = max(1, -(-total // query.limit))
    page = min(max(page, 1), pages)
    reach = TimelineQuery(query.patient_ids, query.language, query.zone, page * query.limit)
    entries = [entry for source in chosen for entry in source.entries(session, reach)]
    entries.sort(key=lambda entry: (entry.at, entry.kind, entry.key), reverse=True)
    return TimelinePage(entries[(page - 1) * query.limit : page * query.limit], sources, counts, total, page, pages)


# --- the register's own entries -------------------------------------------------------------------


def _record_entries(session: Session, query: TimelineQuery) -> list[TimelineEntry]:
    def say(key: str, **params: object) -> str:
        return translate(query.language, key, **params)

    numbers = {record.id: record.patient_no for record in repository.many(session, query.patient_ids)}
    found = [
        TimelineEntry(
            record.created_at, "record", record.id * 2, say("patients.timeline.registered"),
            (say("patients.number", number=record.patient_no),),
        )
        for record in repository.many(session, query.patient_ids)
    ]  # fmt: skip
    for merge in repository.merges_of(session, query.patient_ids):
        source = numbers.get(merge.source_patient_id, "…")
        target = numbers.get(merge.target_patient_id, "…")
        found.append(
            TimelineEntry(
                merge.merged_at, "record", merge.id * 2 + 1,
                say("patients.timeline.merged", source=source, target=target), (merge.reason,),
            )
        )  # fmt: skip
        if merge.separated_at is not None:
            found.append(
                TimelineEntry(
                    merge.separated_at, "record", merge.id * 2 + 1,
                    say("patients.timeline.separated", source=source, target=target),
                    (merge.separation_reason or "",),
                )
            )  # fmt: skip
    return found


def _count_records(session: Session, patient_ids: tuple[int, ...]) -> int:
    merges = repository.merges_of(session, patient_ids)
    return len(repository.many(session, patient_ids)) + sum(1 + bool(m.separated_at) for m in merges)


def attachment_reason(reason: str | None, language: str) -> str:
    """A reason that the register gave by its code, in words; a typed one as it is."""
    key = f"patients.attach_reason.{reason}"
    return translate(language, key) if has_text(key) else reason or ""


def _attachment_entries(session: Session, query: TimelineQuery) -> list[TimelineEntry]:
    zone = ZoneInfo(query.zone)
    kazakh = query.language == "kk"
    return [
        TimelineEntry(
            datetime.combine(row.attachment.valid_from, time(), zone).astimezone(UTC), "attachment",
            row.attachment.id, translate(query.language, "patients.timeline.attached"),
            (
                f"{row.organisation_kk}, {row.site_kk}" if kazakh else f"{row.organisation_ru}, {row.site_ru}",
                attachment_reason(row.attachment.reason, query.language),
            ),
            has_time_flag=False,
        )
        for row in repository.attachments(session, query.patient_ids)
    ]  # fmt: skip


def _count_attachments(session: Session, patient_ids: tuple[int, ...]) -> int:
    return len(repository.attachments(session, patient_ids))


RECORDS = TimelineSource("record", "patients.timeline.records", None, _record_entries, _count_records, icon="document")
ATTACHMENTS = TimelineSource(
    "attachment",
    "patients.timeline.attachments",
    None,
    _attachment_entries,
    _count_attachments,
    icon="building",
)
