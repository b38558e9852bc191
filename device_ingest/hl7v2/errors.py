"""Why a message is not accepted: what the sender is told (ERR segment), and how it is kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Reason:
    """``code`` is of HL7 table 0357; ``text`` holds nothing of the message; ``where`` is a place like ``OBX-5``."""

    acknowledgement: Literal["AE", "AR"]
    problem: str
    code: int
    text: str
    where: str = ""


class NotAccepted(Exception):
    """The message is refused for a reason that its sender is told."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.problem)
        self.reason = reason


def malformed(text: str, where: str = "", *, code: int = 102) -> NotAccepted:
    """The message's content cannot be read."""
    return NotAccepted(Reason("AE", "malformed", code, text, where))


def missing(what: str) -> NotAccepted:
    """A field that must be there is empty."""
    return NotAccepted(Reason("AE", "malformed", 101, "required field missing", what))


NO_HEADER = Reason("AR", "malformed", 100, "the message does not begin with MSH", "MSH")
NOT_FRAMED = Reason("AR", "malformed", 100, "bytes outside an MLLP frame")
TRUNCATED = Reason("AE", "truncated", 100, "the message is cut short")
TOO_LARGE = Reason("AR", "too_large", 207, "the message is longer than this system accepts")
UNKNOWN_SENDER = Reason("AR", "unknown_sender", 204, "sending application and facility are not registered", "MSH-3")
UNSUPPORTED_TYPE = Reason("AR", "unsupported_type", 200, "only ORU^R01 is accepted", "MSH-9")
UNSUPPORTED_MODE = Reason("AR", "unsupported_type", 202, "only production messages are accepted", "MSH-11")
UNSUPPORTED_VERSION = Reason("AR", "unsupported_version", 203, "only versions 2.3 to 2.5.1 are accepted", "MSH-12")
WRONG_CHARSET = Reason("AE", "charset", 102, "the bytes are not of the declared character set", "MSH-18")
UNKNOWN_CHARSET = Reason("AE", "charset", 103, "the declared character set is not known", "MSH-18")
NO_VALUES = Reason("AE", "no_values", 101, "the message holds no result", "OBX-5")
SEVERAL_PATIENTS = Reason("AE", "several_patients", 100, "a message holds the results of one patient", "PID")
NOT_RECORDED = Reason("AE", "refused_by_store", 207, "a value is out of range")
STORE_DOWN = Reason("AE", "store_down", 207, "the store does not answer; send again")
