"""The meaning of an ORU^R01: whose results, of which order, with which values (HL7 2.5.1 section 7.3.1)."""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal
from zoneinfo import ZoneInfo

import hl7

from device_ingest.gateway import LabMessage, LabReport, LabValue, StatedPerson
from device_ingest.hl7v2 import values
from device_ingest.hl7v2.errors import (
    NO_VALUES,
    SEVERAL_PATIENTS,
    TRUNCATED,
    UNSUPPORTED_MODE,
    UNSUPPORTED_TYPE,
    UNSUPPORTED_VERSION,
    NotAccepted,
    malformed,
    missing,
)
from device_ingest.hl7v2.header import Header
from kmis.iin import is_valid, normalise

# It warns with the text that it could not read.
logging.getLogger("hl7").setLevel(logging.CRITICAL)

VERSIONS = ("2.3", "2.3.1", "2.4", "2.5", "2.5.1")
ACCESSION = re.compile(r"[A-Z0-9-]{1,16}")
# Formatting commands say how a text looks; a repetition in them could ask for any length.
FORMATTING = {".br": "\n", **dict.fromkeys((".sp", ".fi", ".nf", ".in", ".ti", ".sk", ".ce"), "")}
# HL7 tables 0123 (reports) and 0085 (values).
Edition = Literal["preliminary", "final", "corrected"]
REPORT_STATUS: dict[str, Edition] = {"F": "final", "C": "corrected", "": "final"}
VALUE_STATUS: dict[str, Edition] = {"F": "final", "U": "final", "C": "corrected", "": "final"}
WITHDRAWN_REPORT, WITHDRAWN_VALUE, NO_VALUE = ("X",), ("D", "W"), ("X", "N", "O")
CODED, TEXTS = ("CE", "CWE", "CNE", "CF"), ("ST", "TX", "FT", "DT", "TS", "TM", "IS", "ID", "")
SEGMENT = re.compile(r"[A-Z][A-Z0-9]{2}")


@dataclass
class _Draft:
    """A report while its segments are read."""

    order: list[list[list[str]]]
    request: list[list[list[str]]]
    values: list[LabValue] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


class _Reader:
    """Segments of one message as fields of plain, unescaped texts."""

    def __init__(self, text: str) -> None:
        self.lines = text.strip().split("\r")
        head = self.lines[0]
        self.mark = head[3:4]
        if head[:3] != "MSH" or head.find(self.mark, 4) < 0:  # what an odd character set makes of the bytes
            raise malformed("the segments cannot be read", code=100)
        encoding = head[4 : head.find(self.mark, 4)]
        self.component = encoding[:1] or "^"
        self.repetition = encoding[1:2] or "~"
        self.escape = encoding[2:3] or "\\"
        self._escapes: Any = None

    def segments(self) -> list[list[list[list[str]]]]:
        """Fields from 0 (the segment's name), each a list of repetitions, each a list of components.

        In MSH the mark between fields is itself the first field, so each stands one place before its number.
        """
        return [[self._repetitions(field) for field in line.split(self.mark)] for line in self.lines]

    def _repetitions(self, text: str) -> list[list[str]]:
        if self.repetition not in text and self.component not in text:
            return [[self._plain(text)]]
        return [[self._plain(part) for part in one.split(self.component)] for one in text.split(self.repetition)]

    def _plain(self, text: str) -> str:
        if self.escape not in text:
            return text.strip()
        try:
            self._escapes = self._escapes or hl7.parse(self.lines[0])
            return str(self._escapes.unescape(text, FORMATTING)).strip()
        except (hl7.HL7Exception, ValueError):
            raise malformed("an escape sequence that is none") from None


def read_message(text: str, header: Header, zone: ZoneInfo, received_at: datetime) -> LabMessage:
    """The results of a message. Raises NotAccepted with the reason for its sender."""
    check_header(header)
    segments = _Reader(text).segments()
    person: StatedPerson | None = None
    order: list[list[list[str]]] = []
    drafts: list[_Draft] = []
    note_of_value = False
    if not text.endswith("\r") and segments[-1][0][0][0] in ("OBX", "OBR", "PID") and _short(segments[-1]):
        raise NotAccepted(TRUNCATED)
    for fields in segments:
        name = fields[0][0][0]
        if not SEGMENT.fullmatch(name):
            raise malformed("a segment without a name", code=100)
        if name == "PID":
            found = _person(fields)
            if person is not None and (found.iin, found.surname) != (person.iin, person.surname):
                raise NotAccepted(SEVERAL_PATIENTS)
            person = found
        elif name == "ORC":
            order = fields
        elif name == "OBR":
            drafts.append(_Draft(order, fields))
            order, note_of_value = [], False
        elif name == "OBX":
            if not drafts:
                raise malformed("OBX before OBR", "OBX", code=100)
            value = _value(fields, zone)
            if value is not None:
                drafts[-1].values.append(value)
            note_of_value = value is not None
        elif name == "NTE" and drafts:
            _note(drafts[-1], fields, note_of_value)
    if not drafts:
        raise missing("OBR")
    sent = values.moment(_at(segments[0], 6), zone, "MSH-7") or received_at
    reports = tuple(_report(draft, zone, sent) for draft in drafts)
    if not any(report.values or report.conclusion or report.withdrawn for report in reports):
        raise NotAccepted(NO_VALUES)
    return LabMessage(control_id=header.control_id, sent_at=sent, person=person or StatedPerson(), reports=reports)


def check_header(header: Header) -> None:
    """Raises NotAccepted for what this listener does not take."""
    if (header.message_type, header.trigger) != ("ORU", "R01"):
        raise NotAccepted(UNSUPPORTED_TYPE)
    if header.version not in VERSIONS:
        raise NotAccepted(UNSUPPORTED_VERSION)
    if header.mode not in ("P", ""):
        raise NotAccepted(UNSUPPORTED_MODE)
    if not header.control_id:
        raise missing("MSH-10")


def _short(fields: list[list[list[str]]]) -> bool:
    """Whether the last segment ends before what it must have: the status of a value, the service of a report."""
    return not _at(fields, {"OBX": 11, "OBR": 4, "PID": 3}[fields[0][0][0]])


def _at(fields: list[list[list[str]]], number: int, component: int = 1) -> str:
    """A component of the first repetition; empty where there is none. ``number`` counts the segment's name as 0."""
    repetitions = fields[number] if len(fields) > number else []
    components = repetitions[0] if repetitions else []
    return components[component - 1] if len(components) >= component else ""


def _person(fields: list[list[list[str]]]) -> StatedPerson:
    numbers = [repetition[0] for repetition in (fields[3] if len(fields) > 3 else [])]
    numbers += [_at(fields, 2), _at(fields, 19)]
    iins = [normalise(number) for number in numbers if is_valid(number)]
    return StatedPerson(
        iin=iins[0] if iins else next((number for number in numbers if number), None),
        surname=_at(fields, 5) or None,
        given_name=_at(fields, 5, 2) or None,
        patronymic=_at(fields, 5, 3) or None,
        birth_date=values.day(_at(fields, 7)),
        sex=_at(fields, 8)[:1].upper() or None,
    )


def _report(draft: _Draft, zone: ZoneInfo, sent: datetime) -> LabReport:
    request, order = draft.request, draft.order
    placer = [number for number in (_at(request, 2), _at(order, 2)) if number]
    filler = _at(request, 3) or _at(order, 3) or None
    status = _at(request, 25)
    # A laboratory that was given no number of ours may use the one on the label as its own.
    numbers = placer or [number for number in (filler,) if number]
    edition = REPORT_STATUS.get(status, "preliminary")
    if edition == "final" and any(value.status == "corrected" or value.withdrawn for value in draft.values):
        edition = "corrected"
    return LabReport(
        filler_number=filler,
        accession_numbers=tuple(
            dict.fromkeys(number.upper() for number in numbers if ACCESSION.fullmatch(number.upper()))
        ),
        status=edition,
        withdrawn=status in WITHDRAWN_REPORT,
        collected_at=values.moment(_at(request, 7), zone, "OBR-7"),
        issued_at=values.moment(_at(request, 22), zone, "OBR-22") or sent,
        conclusion="\n".join(draft.notes) or None,
        values=tuple(draft.values),
    )


def _value(fields: list[list[list[str]]], zone: ZoneInfo) -> LabValue | None:
    """A value; None where the laboratory says that there is none."""
    if len(fields) < 6 and _at(fields, 11) not in NO_VALUE:
        raise NotAccepted(TRUNCATED)
    code, name, system = (_at(fields, 3, part) for part in (1, 2, 3))
    other, other_system = _at(fields, 3, 4), _at(fields, 3, 6)
    if not (code or other):
        raise missing("OBX-3")
    status = _at(fields, 11)
    withdrawn = status in WITHDRAWN_VALUE
    read = None if status in NO_VALUE else _content(_at(fields, 2), fields[5] if len(fields) > 5 else [])
    if read is None and not withdrawn:
        return None
    found = read or values.Value("text", text="-")
    low, high = values.reference_range(_at(fields, 7))
    flags = [repetition[0].upper() for repetition in (fields[8] if len(fields) > 8 else [])]
    return LabValue(
        device_code=(code or other)[:200],
        device_name=(name or _at(fields, 3, 5))[:500] or None,
        loinc=code if system == "LN" else other if other_system == "LN" else None,
        kind=found.kind,
        number=found.number,
        comparator=found.comparator,
        text=found.text,
        unit=(_at(fields, 6) or _at(fields, 6, 2))[:100] or None,
        reference_low=low,
        reference_high=high,
        interpretation=next((values.FLAGS[flag] for flag in flags if flag in values.FLAGS), None),
        status=VALUE_STATUS.get(status, "preliminary"),
        withdrawn=withdrawn,
        observed_at=values.moment(_at(fields, 14), zone, "OBX-14"),
    )


def _content(kind: str, repetitions: list[list[str]]) -> values.Value | None:
    """OBX-5 by the type that OBX-2 names."""
    if not any(part and part != '""' for repetition in repetitions for part in repetition):
        return None
    kind = kind.upper()
    if kind == "NM":
        return values.numeric(repetitions[0][0])
    if kind == "SN":
        return values.structured(repetitions[0])
    if kind in CODED:
        texts = [(part[1] if len(part) > 1 and part[1] else part[0]) for part in repetitions]
        return values.Value("coded", text="\n".join(text for text in texts if text))
    if kind in TEXTS:
        return values.Value("text", text="\n".join(" ".join(filter(None, part)) for part in repetitions))
    raise malformed("a value of a type that is not accepted", "OBX-2", code=103)


def _note(draft: _Draft, fields: list[list[list[str]]], of_value: bool) -> None:
    text = "\n".join(" ".join(filter(None, repetition)) for repetition in (fields[3] if len(fields) > 3 else []))
    if text:
        name = draft.values[-1].device_name or draft.values[-1].device_code if of_value and draft.values else None
        draft.notes.append(f"{name}: {text}" if name else text)
