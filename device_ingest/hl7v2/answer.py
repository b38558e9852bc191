"""The acknowledgement (HL7 2.5.1 section 2.9.2): what became of a message, and why; never anything out of it but its
control id, which names it to its sender."""

from __future__ import annotations

from datetime import datetime
from uuid import uuid4

from device_ingest.hl7v2.errors import Reason
from device_ingest.hl7v2.header import Header

ESCAPES = str.maketrans({"|": "\\F\\", "^": "\\S\\", "~": "\\R\\", "\\": "\\E\\", "&": "\\T\\"})


def acknowledgement(header: Header | None, now: datetime, reason: Reason | None) -> bytes:
    """AA without a reason; with one, its AE or AR and an ERR segment in the form of the sender's version."""
    version = header.version if header and header.version in ("2.3", "2.3.1", "2.4", "2.5", "2.5.1") else "2.5.1"
    receiver = f"{_escaped(header.application)}|{_escaped(header.facility)}" if header else "|"
    control = _escaped(header.control_id) if header else ""
    mode = header.mode if header and header.mode in ("P", "T", "D") else "P"
    segments = [
        f"MSH|^~\\&|KMIS||{receiver}|{now:%Y%m%d%H%M%S%z}||ACK^R01|{uuid4().hex[:20]}|{mode}|{version}",
        f"MSA|{reason.acknowledgement if reason else 'AA'}|{control}|{reason.text if reason else ''}".rstrip("|"),
    ]
    if reason is not None:
        place = "^1^".join(reason.where.split("-")) if reason.where else ""
        if version in ("2.5", "2.5.1"):
            segments.append(f"ERR||{place}|{reason.code}^^HL70357|E||||{reason.text}")
        else:
            segment, _, number = reason.where.partition("-")
            segments.append(f"ERR|{segment}^1^{number}^{reason.code}&{reason.text}&HL70357")
    return "".join(f"{segment}\r" for segment in segments).encode("ascii", "replace")


def _escaped(text: str) -> str:
    return text.translate(ESCAPES)
