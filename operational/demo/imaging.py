"""Imaging orders, studies and descriptions. The newest studies have pictures; of older ones the rows alone are kept."""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random
from typing import Final

from operational.demo.attaching import Register
from operational.demo.hospital import Coming
from operational.demo.people import rows
from operational.demo.pictures import Identity, Picture, chest, head, uid
from operational.demo.region import Region
from operational.demo.schema import Store
from operational.demo.timing import Timing

OLD_VISITS: Final = 0.12
ALL_SINCE: Final = timedelta(days=6)
DONE: Final = 0.94
PICTURED_CHESTS: Final = 8
EXPLICIT: Final = "1.2.840.10008.1.2.1"
BY_ILLNESS: Final = (
    ("J18", "IMG-001", 0.95), ("J20", "IMG-001", 0.3), ("J44", "IMG-001", 0.5), ("U07", "IMG-028", 0.6),
    ("I63", "IMG-027", 0.97), ("I61", "IMG-027", 0.97), ("G45", "IMG-027", 0.8), ("S06", "IMG-027", 0.7),
    ("S82", "IMG-005", 0.95), ("S72", "IMG-005", 0.95), ("S52", "IMG-005", 0.9), ("K80", "IMG-013", 0.9),
    ("K86", "IMG-013", 0.8), ("N10", "IMG-014", 0.8), ("N83", "IMG-017", 0.9), ("N70", "IMG-017", 0.8),
    ("I50", "IMG-026", 0.6), ("I21", "IMG-026", 0.8), ("I20", "IMG-026", 0.6), ("M51", "IMG-009", 0.7),
)  # fmt: skip


class ImagingWriter:
    """Writes imaging orders with their studies; ``files`` are what lies below the installation's home."""

    def __init__(
        self, rng: Random, store: Store, register: Register, region: Region, timing: Timing, files: dict[str, bytes]
    ) -> None:
        self.rng = rng
        self.store = store
        self.register = register
        self.region = region
        self.timing = timing
        self.files = files
        self.kinds = {row["service"]: row for row in rows("imaging.csv")}
        self.stations = {row["code"]: row["address"] for row in rows("devices.csv")}
        self.hospital = region.organisations["hospital"]
        self.radiologist = next(w for w in region.teams["hospital", "10"] if w.position == "radiologist")

    def run(self, stays: list[tuple[int, Coming]]) -> None:
        """Orders of stays and of visits, then the pictures of the newest."""
        for _, coming in stays:
            self._of_stay(coming)
        self._of_visits()
        self._today()
        self._pictures()

    def _of_stay(self, coming: Coming) -> None:
        if coming.organisation != "hospital" or coming.illness.profile.startswith("day_"):
            return
        for prefix, service, share in BY_ILLNESS:
            if coming.illness.icd10.startswith(prefix) and self.rng.random() < share:
                at = coming.begins + timedelta(minutes=self.rng.randint(4, 90))
                self._order(service, self.hospital, coming.person, at, None, coming.illness.icd10, coming.icu)

    def _of_visits(self) -> None:
        procedures = self.store.procedure
        at = {name: procedures.columns.index(name) for name in procedures.columns}
        since = self.timing.now - ALL_SINCE
        for row in procedures.rows:
            if row[at["service_code"]] not in self.kinds or row[at["voided_at"]] is not None:
                continue
            performed, patient = row[at["performed_at"]], row[at["patient_id"]]
            if (performed < since and self.rng.random() >= OLD_VISITS) or patient > len(self.register.people):
                continue
            self._order(
                row[at["service_code"]], row[at["owner_organisation_id"]], patient - 1, performed,
                row[at["encounter_id"]], None, False,
            )  # fmt: skip

    def _today(self) -> None:
        """The worklist: people who are expected at the tomograph and the radiograph today."""
        alive = [p for p in range(len(self.register.people)) if self.register.free_on(p, self.timing.today)]
        for number, person in enumerate(self.rng.sample(alive, min(6, len(alive)))):
            service = ("IMG-027", "IMG-001", "IMG-013")[number % 3]
            ordered = self.timing.now - timedelta(minutes=self.rng.randint(30, 200))
            self._row(service, self.region.organisations["polyclinic"], person, ordered, None, "R51", False, "active",
                      None, self.timing.now + timedelta(minutes=20 * number - 30))  # fmt: skip

    # --- orders and studies ----------------------------------------------------------------------------------

    def _order(
        self, service: str, owner: int, person: int, at: datetime, encounter: int | None, icd10: str | None,
        urgent: bool,
    ) -> None:  # fmt: skip
        at = at.replace(second=0, microsecond=0)
        started = at + timedelta(minutes=self.rng.randint(10, 60) if urgent else self.rng.randint(40, 900))
        issued = started + timedelta(minutes=self.rng.randint(15, 200))
        death = self.register.people[person].death
        if (death is not None and self.timing.day(started) >= death) or self.rng.random() >= DONE:
            self._row(service, owner, person, at, encounter, icd10, urgent, "cancelled", None, started)
            return
        if issued > self.timing.now:
            self._row(service, owner, person, at, encounter, icd10, urgent, "active", None, started)
            return
        order = self._row(service, owner, person, at, encounter, icd10, urgent, "completed", issued, started)
        study = self._study(service, person, order, started)
        kind = self.kinds[service]
        self.store.diagnostic_report.add(
            self.hospital, person + 1, order, "imaging", "manual", None, None, study, "final", started, issued,
            self.radiologist.practitioner, kind["finding_kk" if self.radiologist.kazakh else "finding_ru"], None, None,
        )  # fmt: skip

    def _row(
        self, service: str, owner: int, person: int, at: datetime, encounter: int | None, icd10: str | None,
        urgent: bool, status: str, completed: datetime | None, scheduled: datetime,
    ) -> int:  # fmt: skip
        kind = self.kinds[service]
        number = len(self.store.diagnostic_order) + 1
        cancelled = self.timing.past(at + timedelta(hours=20)) if status == "cancelled" else None
        return self.store.diagnostic_order.add(
            owner, f"{at:%y}{number:08d}", person + 1, "imaging", encounter, None, None, None, self.hospital, service,
            kind["modality"], kind["body_part"], icd10, None, "urgent" if urgent else "routine", status, at, scheduled,
            self.stations[kind["device"]], completed, cancelled,
            "Пациент келмеді / Пациент не явился" if cancelled else None,
        )  # fmt: skip

    def _study(self, service: str, person: int, order: int, started: datetime) -> int:
        kind = self.kinds[service]
        number = self.store.diagnostic_order.value(order, "accession_number")
        count = int(kind["instances"])
        received = started + timedelta(minutes=4)
        return self.store.imaging_study.add(
            self.hospital, uid("study", number), person + 1, order, self.region.devices[kind["device"]], number,
            kind["modality"], kind["body_part"], kind["description"], started, received, "available", 1, count, "{}",
            received, "accession",
        )  # fmt: skip

    # --- pictures --------------------------------------------------------------------------------------------

    def _pictures(self) -> None:
        """The newest CT of a head and the newest chests."""
        table = self.store.imaging_study
        newest = sorted(range(1, len(table) + 1), key=lambda k: table.value(k, "started_at"), reverse=True)
        heads = [k for k in newest if (table.value(k, "modality"), table.value(k, "body_part")) == ("CT", "HEAD")]
        chests = [k for k in newest if (table.value(k, "modality"), table.value(k, "body_part")) == ("DX", "CHEST")]
        for key in heads[:1]:
            self.keep(key, head(self._identity(key), key))
        for key in chests[:PICTURED_CHESTS]:
            self.keep(key, [chest(self._identity(key), key)])

    def _identity(self, study: int) -> Identity:
        table = self.store.imaging_study
        person = self.register.people[table.value(study, "patient_id") - 1]
        name = "^".join(filter(None, (person.surname, person.given, person.patronymic)))
        return Identity(
            person.iin or "", name, f"{person.birth:%Y%m%d}", person.sex, table.value(study, "accession_number"),
            table.value(study, "study_uid"), table.value(study, "started_at"), table.value(study, "description"),
            table.value(study, "body_part"), "KARATOBE",
        )  # fmt: skip

    def keep(self, study: int, pictures: list[Picture]) -> None:
        """Index the pictures and remember their files."""
        table = self.store.imaging_study
        owner, study_uid = table.value(study, "owner_organisation_id"), table.value(study, "study_uid")
        started = table.value(study, "started_at")
        for picture in pictures:
            path = f"dicom/{study_uid}/{picture.sop_uid}.dcm"
            self.files[path] = picture.content
            self.store.imaging_instance.add(
                owner, study_uid, picture.series_uid, picture.sop_uid, picture.sop_class, EXPLICIT, 1, picture.number,
                table.value(study, "description"), table.value(study, "modality"), 1, path, len(picture.content),
                "\\x" + picture.digest, table.value(study, "received_at"), started.date(),
            )  # fmt: skip
        table.change(study, series=1, instances=len(pictures))
