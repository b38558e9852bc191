"""What devices delivered and nobody could match: a study without a person, results with a number that is unknown."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final

from operational.demo.imaging import ImagingWriter
from operational.demo.laboratory import lab_units
from operational.demo.pictures import Identity, chest, uid
from operational.demo.region import Region
from operational.demo.schema import Store
from operational.demo.timing import Timing
from operational.domains.orders.receiving_schemas import LabMessage, LabReport, LabValue, StatedPerson, stated

VALUES: Final = (("HGB", "HGB", "112"), ("WBC", "WBC", "11.4"), ("PLT", "PLT", "264"))
QUARANTINED: Final = b"MSH|^~\\&|HEMA-5|KARATOBE|KMIS|KARATOBE|2026"


class InboxWriter:
    """Writes three waiting items and one in quarantine; ``files`` are what lies below the installation's home."""

    def __init__(
        self, store: Store, region: Region, timing: Timing, imaging: ImagingWriter, files: dict[str, bytes]
    ) -> None:
        self.store = store
        self.region = region
        self.timing = timing
        self.imaging = imaging
        self.files = files
        self.hospital = region.organisations["hospital"]

    def run(self) -> None:
        """Deliveries of the last day."""
        self._results("DEMO-0001", timedelta(hours=3), StatedPerson(surname="ОМАРОВ", given_name="Б", sex="M"))
        self._results("DEMO-0002", timedelta(hours=20), StatedPerson())
        self._broken()
        self._study()

    def _results(self, control: str, ago: timedelta, person: StatedPerson) -> None:
        at = (self.timing.now - ago).replace(tzinfo=UTC)
        units = lab_units()
        values = tuple(
            LabValue(device_code=code, kind="numeric", number=Decimal(value), unit=units[test], observed_at=at)
            for code, test, value in VALUES
        )
        report = LabReport(filler_number=control, accession_numbers=("0000000000",), issued_at=at, values=values)
        message = LabMessage(control_id=control, sent_at=at, person=person, reports=(report,))
        lines = [
            f"MSH|^~\\&|HEMA-5|KARATOBE|KMIS|KARATOBE|{at:%Y%m%d%H%M%S}||ORU^R01^ORU_R01|{control}|P|2.5.1"
            "||||||UNICODE UTF-8",
            f"PID|1||||{person.surname or ''}^{person.given_name or ''}",
            f"OBR|1|0000000000|{control}|CBC|||{at:%Y%m%d%H%M%S}|||||||||||||||{at:%Y%m%d%H%M%S}|||F",
        ]
        lines += [
            f"OBX|{n}|NM|{code}^{code}||{value}|{units[test]}|||||F"
            for n, (code, test, value) in enumerate(VALUES, 1)
        ]  # fmt: skip
        self._message(control, at, "\r".join(lines).encode() + b"\r", "unmatched", "unknown_patient",
                      json.dumps(stated(message), ensure_ascii=False))  # fmt: skip

    def _broken(self) -> None:
        at = (self.timing.now - timedelta(hours=7)).replace(tzinfo=UTC)
        self._message(None, at, QUARANTINED, "quarantined", "truncated", "{}")

    def _message(self, control: str | None, at: datetime, raw: bytes, status: str, problem: str, content: str) -> None:
        digest = hashlib.sha256(raw).hexdigest()
        path = f"spool/hl7v2/{at:%Y/%m/%d}/{digest}.hl7"
        self.files[path] = raw
        self.store.device_message.add(
            self.hospital, self.region.devices["HEM-1"], "hl7v2", control, at.replace(tzinfo=None), path, len(raw),
            digest, status, problem, content, None, None, None,
        )  # fmt: skip

    def _study(self) -> None:
        """A radiograph made by night without a number and without an IIN."""
        at = self.timing.now - timedelta(hours=9)
        study_uid = uid("study", "without number", at)
        person = StatedPerson(surname="НЕИЗВЕСТНЫЙ")
        content = {"person": person.model_dump(mode="json"), "accession_numbers": [], "problem": "unknown_patient"}
        key = self.store.imaging_study.add(
            self.hospital, study_uid, None, None, self.region.devices["RG-1"], None, "DX", "CHEST", "Chest PA", at,
            at + timedelta(minutes=3), "available", 1, 1, json.dumps(content, ensure_ascii=False), None, None,
        )  # fmt: skip
        identity = Identity("", "НЕИЗВЕСТНЫЙ", "", "O", "", study_uid, at, "Chest PA", "CHEST", "KARATOBE")
        self.imaging.keep(key, [chest(identity, key)])
