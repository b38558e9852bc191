"""Keeping objects: durable as they came and indexed before they are acknowledged.

The file is written to ``spool/dicom/incoming`` and linked to its place ``dicom/<study>/<object>.dcm``. While the disk
takes both, the index row is committed; when both are done, the name in ``incoming`` goes and the sender is told. What
a crash leaves in ``incoming`` is taken up at the next start; of an object that a power failure took from the disk only
its row may be left, and since its sender was told nothing, it sends again.
"""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import logging
import os
from dataclasses import dataclass
from pathlib import Path

from pydicom import dcmread
from pydicom.filereader import read_file_meta_info

from device_ingest.dicom.committer import Committer
from device_ingest.dicom.reading import Unreadable, describe, file_meta, read_header
from device_ingest.gateway import DeliveredInstance, Gateway, KnownDevice, Received, StoreRefused, StoreUnavailable
from device_ingest.spool import Bytes, Spool, make_folder, sync_file, sync_folder, write_file
from kmis.clock import local_date

log = logging.getLogger("kmis.dicom")

# DICOM PS3.4 table B.2-1 (storage): out of resources, data set does not match the class, cannot understand.
SUCCESS, OUT_OF_RESOURCES, DOES_NOT_MATCH, CANNOT_UNDERSTAND = 0x0000, 0xA700, 0xA900, 0xC000

# By what the store says of an object: status, problem and comment.
REFUSALS = {
    "refused": (CANNOT_UNDERSTAND, "refused_by_store", "a value is out of range"),
    "differs": (DOES_NOT_MATCH, "sop_differs", "this object is kept with another content"),
    "foreign": (DOES_NOT_MATCH, "study_of_another_organisation", "the study is kept by another organisation"),
}


@dataclass(frozen=True, slots=True)
class Answer:
    """The status of a C-STORE and why; ``study_uid`` of what was stored. ``comment`` holds no identifier."""

    status: int
    comment: str = ""
    study_uid: str | None = None


class Storage:
    """The objects of one installation."""

    def __init__(self, gateway: Gateway, committer: Committer) -> None:
        self.gateway = gateway
        self.committer = committer
        self.home = gateway.settings.root
        self.folder = gateway.settings.dicom_dir
        self.quarantine = Spool(self.home, "dicom", ".dcm")
        self.incoming = self.quarantine.folder / "incoming"
        make_folder(self.incoming)
        make_folder(self.folder)
        self._number = itertools.count()

    def store(
        self, device: KnownDevice, encoded: Bytes, *, sop_class: str, sop_instance: str, transfer_syntax: str
    ) -> Answer:
        """Keep an object; the answer is given when it is durable and indexed, or kept in quarantine."""
        view = memoryview(encoded)
        meta = file_meta(sop_class, sop_instance, transfer_syntax, device.address)
        try:
            header = read_header(view, meta)
            instance = describe(
                header, sop_class=sop_class, sop_instance=sop_instance, transfer_syntax=transfer_syntax,
                zone=self.gateway.settings.zone,
            )  # fmt: skip
        except Unreadable as error:
            return self._refuse(device, (meta, view), DOES_NOT_MATCH if error.problem != "malformed"
                                else CANNOT_UNDERSTAND, error.problem, error.comment)  # fmt: skip
        waiting = self.incoming / f"{os.getpid()}-{next(self._number)}.dcm"
        try:
            size = write_file(waiting, (meta, view), durable=False)
        except OSError as error:
            log.error("an object could not be written: errno %s", error.errno)
            return Answer(OUT_OF_RESOURCES, "the object could not be written")
        return self._index(device, waiting, instance, size, hashlib.sha256(view).digest())

    def recover(self) -> int:
        """Take up what an earlier process left in ``incoming``; returns how many objects were stored."""
        taken = 0
        for path in sorted(self.incoming.iterdir()):
            owner = path.name.split("-")[0]
            if owner.isdigit() and int(owner) != os.getpid() and Path(f"/proc/{owner}").exists():
                continue  # another process of this listener is at it
            with contextlib.suppress(FileNotFoundError):
                taken += self._take_up(path)
        return taken

    def _take_up(self, path: Path) -> bool:
        try:
            meta = read_file_meta_info(path)
            calling = str(meta.get("SourceApplicationEntityTitle", ""))
            device = self.gateway.device("dicom", calling)
            names = {
                "sop_class": str(meta.MediaStorageSOPClassUID),
                "sop_instance": str(meta.MediaStorageSOPInstanceUID),
                "transfer_syntax": str(meta.TransferSyntaxUID),
            }
            instance = describe(dcmread(path, stop_before_pixels=True), zone=self.gateway.settings.zone, **names)
        except StoreUnavailable:
            return False
        except Exception:  # cut short by the crash: the sender was never told that it arrived
            path.unlink()
            return False
        if device is None:
            path.unlink()
            return False
        content = path.read_bytes()
        start = len(file_meta(**names, calling_aet=calling))
        answer = self._index(device, path, instance, len(content), hashlib.sha256(content[start:]).digest())
        if answer.study_uid is not None:
            self.gateway.settle(device, [answer.study_uid])
        return answer.status == SUCCESS

    def _index(
        self, device: KnownDevice, waiting: Path, instance: DeliveredInstance, size: int, digest: bytes
    ) -> Answer:
        place = self.folder / instance.study_uid / f"{instance.sop_uid}.dcm"
        make_folder(place.parent)
        linked = _link(waiting, place)
        entry = instance.model_copy(
            update={"file_path": str(place.relative_to(self.home)), "file_bytes": size, "sha256": digest}
        )
        answer = self.committer.submit(device, entry)
        try:
            sync_file(waiting)
            sync_folder(place.parent)
        except OSError as error:
            log.error("an object could not be made durable: errno %s", error.errno)
            return Answer(OUT_OF_RESOURCES, "the object could not be written")
        try:
            verdict: str = answer.result()
        except StoreUnavailable:
            return Answer(OUT_OF_RESOURCES, "the store does not answer; send again")
        except StoreRefused:
            verdict = "refused"
        if verdict in REFUSALS:
            if linked:
                place.unlink()
            return self._refuse_file(device, waiting, *REFUSALS[verdict])
        if linked:
            waiting.unlink()
        elif verdict == "stored":  # what stands there is the remains of a crash that nobody indexed
            waiting.replace(place)
            sync_folder(place.parent)
        else:
            sync_file(place)  # another sender's, who may still wait for the disk
            waiting.unlink()
        return Answer(SUCCESS, study_uid=instance.study_uid)

    def _refuse_file(self, device: KnownDevice, waiting: Path, status: int, problem: str, comment: str) -> Answer:
        answer = self._refuse(device, (waiting.read_bytes(),), status, problem, comment)
        waiting.unlink()
        return answer

    def _refuse(self, device: KnownDevice, parts: tuple[Bytes, ...], status: int, problem: str, comment: str) -> Answer:
        """Keep the object in quarantine and say why; the sender is told even when the store does not answer."""
        now = self.gateway.clock.now()
        try:
            kept = self.quarantine.keep(parts, local_date(now, self.gateway.settings.zone))
            received = Received(device, device.organisation_id, "dicom", now, kept.relative, kept.size, kept.sha256)
            self.gateway.quarantine(received, problem)
            self.quarantine.done(kept)
        except (OSError, StoreUnavailable) as error:
            log.error("a refused object was not recorded: %s", type(error).__name__)
            return Answer(OUT_OF_RESOURCES, "the object could not be kept; send again")
        log.warning("object of device %s refused: %s", device.code, problem)
        return Answer(status, comment)


def _link(waiting: Path, place: Path) -> bool:
    """Give a file its place; False when another file has it."""
    try:
        os.link(waiting, place)
    except FileExistsError:
        return waiting.samefile(place)
    return True
