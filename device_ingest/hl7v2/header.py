"""The message header, read from bytes before anything is known of their character set; it is ASCII by necessity."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

from device_ingest.hl7v2.errors import NO_HEADER, UNKNOWN_CHARSET, WRONG_CHARSET, NotAccepted, malformed

# HL7 table 0211; device.charset may name the same, or what Python calls it.
CHARSETS = {
    "": "utf-8", "ASCII": "ascii", "UNICODE": "utf-8", "UNICODE UTF-8": "utf-8", "UTF-8": "utf-8", "UTF8": "utf-8",
    "UNICODE UTF-16": "utf-16", "CP1251": "cp1251", "WINDOWS-1251": "cp1251", "CP866": "cp866",
    **{f"8859/{part}": f"iso8859-{part}" for part in (1, 2, 3, 4, 5, 6, 7, 8, 9, 15)},
}  # fmt: skip
LINE_ENDS = re.compile(rb"\r\n|\n")
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Header:
    """What MSH says, as far as it is needed to answer."""

    sender: str
    application: str
    facility: str
    control_id: str
    message_type: str
    trigger: str
    mode: str
    version: str
    charset: str


def read_header(raw: bytes) -> Header:
    """MSH of a message. Raises NotAccepted when there is none."""
    line = LINE_ENDS.sub(b"\r", raw[:4096]).split(b"\r", 1)[0].decode("latin-1")
    if not line.startswith("MSH") or len(line) < 9:
        raise NotAccepted(NO_HEADER)
    mark, component = line[3], line[4]
    if mark.isalnum() or component.isalnum() or mark == component:
        raise NotAccepted(NO_HEADER)
    fields = line.split(mark)

    def part(number: int, place: int = 0) -> str:
        parts = fields[number - 1].split(component) if len(fields) >= number else []
        return "".join(c for c in parts[place].strip() if " " <= c <= "~")[:250] if len(parts) > place else ""

    return Header(
        sender=f"{part(3)}|{part(4)}",
        application=part(3),
        facility=part(4),
        control_id=part(10)[:199],
        message_type=part(9),
        trigger=part(9, 1),
        mode=part(11),
        version=part(12),
        charset=part(18).split("~")[0].upper(),
    )


def decode(raw: bytes, header: Header, device_charset: str | None) -> str:
    """The message's text with lines that end in CR. Raises NotAccepted for bytes of another character set.

    The character set registered with the device goes before the one that the message names: some devices name the
    same one always.
    """
    name = (device_charset or header.charset).upper()
    codec = CHARSETS.get(name)
    if codec is None:
        try:
            codec = codecs.lookup(name).name
        except LookupError:
            raise NotAccepted(UNKNOWN_CHARSET) from None
    try:
        text = raw.decode(codec)
    except UnicodeError:
        raise NotAccepted(WRONG_CHARSET) from None
    text = text.replace("\r\n", "\r").replace("\n", "\r")
    if CONTROL.search(text):
        raise malformed("a control character within the message", code=102)
    return text
