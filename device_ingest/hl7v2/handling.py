"""From bytes to an answer: kept durably first, then read, recorded in one transaction, then acknowledged.

Nothing is acknowledged with AA before it is committed. When the store does not answer, the sender is told to send
again, and the kept file is taken up again by ``recover`` too; the same bytes are recorded once.
"""

from __future__ import annotations

import logging
import time
from datetime import UTC, datetime

from device_ingest.gateway import Gateway, KnownDevice, Received, StoreRefused, StoreUnavailable
from device_ingest.hl7v2.answer import acknowledgement
from device_ingest.hl7v2.errors import (
    NOT_FRAMED,
    NOT_RECORDED,
    STORE_DOWN,
    TOO_LARGE,
    TRUNCATED,
    UNKNOWN_SENDER,
    NotAccepted,
    Reason,
)
from device_ingest.hl7v2.header import Header, decode, read_header
from device_ingest.hl7v2.mllp import Arrived, Framing
from device_ingest.hl7v2.reading import read_message
from device_ingest.spool import Kept, Spool
from kmis.clock import local_date

log = logging.getLogger("kmis.mllp")
FRAMING = {Framing.WHOLE: None, Framing.CUT_SHORT: TRUNCATED, Framing.OUTSIDE: NOT_FRAMED}
# What a later start could not see in the bytes: half a message may read like a whole one.
SUFFIXES = {TRUNCATED: ".cut", NOT_FRAMED: ".loose"}


class Handler:
    """Records the messages of one installation."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway
        self.spool = Spool(gateway.settings.root, "hl7v2", ".hl7")

    def handle(self, arrived: Arrived) -> bytes:
        """The acknowledgement of what arrived."""
        now = self.gateway.clock.now()
        refused = TOO_LARGE if arrived.too_large else FRAMING[arrived.framing]
        suffix = SUFFIXES.get(refused) if refused else None
        with arrived.content() as content:
            head = bytes(content[:4096])
            try:
                kept = self.spool.keep((content,), local_date(now, self.gateway.settings.zone), suffix)
            except OSError as error:
                log.error("a message could not be kept: errno %s", error.errno)
                return acknowledgement(_header(head), now, STORE_DOWN)
        return acknowledgement(_header(head), now, self.process(kept, now, refused))

    def process(self, kept: Kept, received_at: datetime, refused: Reason | None = None) -> Reason | None:
        """Record a kept message; None when it was accepted. ``refused``: it is kept, but not read."""
        try:
            reason = self._record(kept, received_at, refused)
        except StoreUnavailable as error:
            log.error("a message waits for the store: %s", error)
            return STORE_DOWN
        self.spool.done(kept)
        if reason is not None:
            log.warning("message refused: %s", reason.problem)
        return reason

    def recover(self, older_than_s: float = 0.0) -> int:
        """Take up what is still pending; returns how many messages were recorded or put into quarantine."""
        taken = 0
        for kept in list(self.spool.waiting()):
            changed = kept.path.stat().st_mtime
            if time.time() - changed < older_than_s:
                continue
            refused = next((reason for reason, suffix in SUFFIXES.items() if kept.path.suffix == suffix), None)
            if kept.size > self.gateway.settings.mllp_limit_bytes:
                refused = TOO_LARGE
            if self.process(kept, datetime.fromtimestamp(changed, UTC), refused) is STORE_DOWN:
                break
            taken += 1
        return taken

    def _record(self, kept: Kept, received_at: datetime, refused: Reason | None) -> Reason | None:
        raw = b"" if refused is TOO_LARGE else kept.path.read_bytes()
        device: KnownDevice | None = None
        header: Header | None = None
        try:
            header = read_header(raw or _beginning(kept))
            device = self.gateway.device("hl7v2", header.sender)
            if device is None:
                raise NotAccepted(UNKNOWN_SENDER)
            if refused is not None:
                raise NotAccepted(refused)
            text = decode(raw, header, device.charset)
            message = read_message(text, header, self.gateway.settings.zone, received_at)
            self.gateway.record_report(self._received(kept, received_at, header, device), message)
        except NotAccepted as error:
            reason = refused or error.reason
        except StoreRefused as error:
            log.error("the store refused a message: %s", error)
            reason = NOT_RECORDED
        else:
            return None
        self.gateway.quarantine(self._received(kept, received_at, header, device), reason.problem)
        return reason

    def _received(
        self, kept: Kept, received_at: datetime, header: Header | None, device: KnownDevice | None
    ) -> Received:
        owner = device.organisation_id if device else self.gateway.unknown_senders_organisation()
        return Received(
            device, owner, "hl7v2", received_at, kept.relative, kept.size, kept.sha256,
            (header.control_id or None) if header else None,
        )  # fmt: skip


def _header(head: bytes) -> Header | None:
    try:
        return read_header(head)
    except NotAccepted:
        return None


def _beginning(kept: Kept) -> bytes:
    with kept.path.open("rb") as file:
        return file.read(4096)
