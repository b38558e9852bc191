"""A case made into the sheet that is printed."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from operational.domains.monitoring.models import SignalCase, SignalEvent
from operational.domains.monitoring.signals import repository
from operational.domains.monitoring.signals.views import name_of
from operational.domains.monitoring.signals.words import Language, words_of
from operational.kit.errors import NotFound
from operational.web.formats import format_date, format_moment
from operational.web.formats import zone as zone_of
from operational.web.texts import translate
from signal_sheets.sheet import Section, Sheet, pdf_of


def told(session: Session, case: SignalCase, language: Language) -> list[tuple[SignalEvent, str, str]]:
    """The history of a case, oldest first: the event, what it was, who did it."""
    outcomes = {row.code: row.name_kk if language == "kk" else row.name_ru for row in repository.outcomes(session)}
    found = []
    for event, user in repository.history(session, case.id):
        what = translate(language, f"signals.event.{event.kind}")
        outcome = event.detail.get("outcome")
        if event.kind == "closed" and outcome:
            what = f"{what}: {outcomes.get(str(outcome), str(outcome))}"
        if "active" in event.detail:
            what = translate(language, "signals.event.active")
        found.append((event, what, user.display_name if user else translate(language, "signals.system")))
    return found


def pdf_of_case(session: Session, key: int, language: Language, zone: str, now: datetime, printed_by: str) -> bytes:
    """The sheet of a case as PDF. Raises NotFound, or exports.pdf.PrintFailed."""
    return pdf_of(sheet_of(session, key, language, zone, now, printed_by))


def sheet_of(session: Session, key: int, language: Language, zone: str, now: datetime, printed_by: str) -> Sheet:
    """What stands on the page."""

    def say(text_key: str, **params: object) -> str:
        return translate(language, text_key, **params)

    row = repository.row(session, key)
    if row is None:
        raise NotFound()
    case, patient = row.case, row.patient
    words = words_of(session, case, language, zone)
    today = now.astimezone(zone_of(zone)).date()
    owner = repository.organisation(session, case.owner_organisation_id, today)
    origin = repository.organisation(session, case.origin_organisation_id, today)
    answers = [name_of(person, language) for person in (row.doctor, row.nurse) if person is not None]
    site = (row.site.name_kk if language == "kk" else row.site.name_ru) if row.site else ""
    facts = [
        (say("signals.patient"), name_of(patient, language)),
        (say("signals.birth_date"), format_date(patient.birth_date, zone)),
        (say("signals.iin"), patient.iin or "—"),
        (say("signals.address"), patient.address or "—"),
        (say("signals.phone"), patient.phone or "—"),
        (say("signals.origin"), _title(origin, language)),
        (say("signals.site"), site or "—"),
        (say("signals.answers"), ", ".join(answers) or say("signals.nobody")),
        (say("signals.event"), format_moment(case.event_at, zone)),
        (say("signals.due"), format_moment(case.due_at, zone)),
    ]
    history = [
        f"{format_moment(event.at, zone)} {what} — {who}{f': {event.note}' if event.note else ''}"
        for event, what, who in told(session, case, language)
    ]
    return Sheet(
        language=language,
        organisation=_title(owner, language),
        title=words.title,
        number=say("signals.number", code=case.rule_code, id=case.id),
        severity=say(f"signals.severity.{case.severity}"),
        critical=case.severity == "critical",
        facts=facts,
        reasons=Section(say("signals.why"), words.reasons, listed=True),
        recommendations=Section(
            say("signals.hospital_advised"), [case.recommendations] if case.recommendations else []
        ),
        advice=Section(say("signals.advice"), words.advice, listed=True),
        task=Section(say("signals.task"), [words.task]),
        history=Section(say("signals.history"), history[-6:]),
        blanks=[say("signals.blank.when"), say("signals.blank.found"), say("signals.blank.signed")],
        footer=say("signals.printed", at=format_moment(now, zone), by=printed_by),
    )


def _title(row: object, language: Language) -> str:
    return str(getattr(row, f"name_{language}", "") or "")
