"""DICOM with dcmtk's own programs as the peers: echo, store, worklist; what is refused and why."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydicom import dcmread
from pydicom.uid import DeflatedExplicitVRLittleEndian, ImplicitVRLittleEndian, generate_uid

from device_ingest.gateway import Gateway
from kmis.settings import Settings
from tests.device_ingest.conftest import Laboratory
from tests.device_ingest.objects import ct_slice, dcmtk, save, store
from tests.device_ingest.running import dicom_listener, process, wait_for


@pytest.fixture(scope="module")
def port(settings: Settings, laboratory: Laboratory) -> Iterator[int]:
    with dicom_listener(settings) as found:
        yield found


def study_of(laboratory: Laboratory, uid: str) -> dict[str, Any]:
    """The study, once its association has ended."""

    def found() -> dict[str, Any] | None:
        rows = laboratory.rows("select * from imaging_study where study_uid = %s and status = 'available'", uid)
        return rows[0] if rows else None

    return wait_for(found)


def test_the_peers_are_dcmtks() -> None:
    for program in ("echoscu", "storescu", "findscu"):
        assert "$dcmtk:" in dcmtk(program, "--version").stdout


def test_echo_from_a_registered_device_only(port: int) -> None:
    arguments = ("-v", "127.0.0.1", str(port))
    assert dcmtk("echoscu", "-aet", "TESTCT", "-aec", "KMIS", *arguments).returncode == 0
    for aet, called, reason in (
        ("STRANGER", "KMIS", "Calling AE Title Not Recognized"),
        ("RETIREDCT", "KMIS", "Calling AE Title Not Recognized"),
        ("TESTCT", "WRONG", "Called AE Title Not Recognized"),
    ):
        refused = dcmtk("echoscu", "-aet", aet, "-aec", called, *arguments)
        assert refused.returncode != 0 and reason in refused.stdout + refused.stderr


@pytest.mark.requirement("PACS-01")
@pytest.mark.requirement("PACS-04")
@pytest.mark.requirement("INT-PACS-04")
def test_a_study_is_stored_as_it_came_and_matched_to_its_order(
    laboratory: Laboratory, port: int, tmp_path: Path
) -> None:
    patient, iin = laboratory.person()
    order, accession = laboratory.order(patient, "imaging")
    study, series = generate_uid(), (generate_uid(), generate_uid())
    images = [
        ct_slice(study, series[number % 2], number, AccessionNumber=accession, PatientID=iin) for number in range(6)
    ]
    paths = [save(image, tmp_path / f"{number}.dcm") for number, image in enumerate(images)]
    assert store(port, *paths).returncode == 0
    row = study_of(laboratory, study)
    assert (row["patient_id"], row["order_id"], row["matched_by"]) == (patient, order, "accession")
    assert (row["series"], row["instances"], row["modality"]) == (2, 6, "CT")
    assert laboratory.rows("select status from diagnostic_order where id = %s", order)[0]["status"] == "completed"
    for image, path in zip(images, paths, strict=True):
        (entry,) = laboratory.rows("select * from imaging_instance where sop_uid = %s", image.SOPInstanceUID)
        kept = laboratory.settings.root / entry["file_path"]
        assert entry["file_path"] == f"dicom/{study}/{image.SOPInstanceUID}.dcm"
        assert kept.stat().st_size == entry["file_bytes"]
        assert dcmread(kept).PixelData == dcmread(path).PixelData
        start = 144 + dcmread(kept).file_meta.FileMetaInformationGroupLength
        assert hashlib.sha256(kept.read_bytes()[start:]).digest() == bytes(entry["sha256"])
    assert not list((laboratory.settings.spool_dir / "dicom" / "incoming").iterdir())


@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, DeflatedExplicitVRLittleEndian])
def test_every_transfer_syntax_is_kept_as_it_came(
    laboratory: Laboratory, port: int, tmp_path: Path, syntax: str
) -> None:
    _, iin = laboratory.person()
    study = generate_uid()
    image = ct_slice(study, generate_uid(), 1, transfer_syntax=syntax, PatientID=iin)
    options = ("-xi",) if syntax == ImplicitVRLittleEndian else ("-xd",)
    assert store(port, save(image, tmp_path / "a.dcm"), options=options).returncode == 0
    row = study_of(laboratory, study)
    (entry,) = laboratory.rows("select * from imaging_instance where study_uid = %s", study)
    assert (row["matched_by"], entry["transfer_syntax_uid"]) == ("iin", str(syntax))
    assert dcmread(laboratory.settings.root / entry["file_path"]).PixelData == image.PixelData


def test_a_study_of_nobody_known_waits_with_what_the_device_said(
    laboratory: Laboratory, port: int, tmp_path: Path
) -> None:
    study = generate_uid()
    image = ct_slice(study, generate_uid(), 1, PatientID="000000000000", AccessionNumber="NONE-1")
    assert store(port, save(image, tmp_path / "a.dcm")).returncode == 0
    row = study_of(laboratory, study)
    assert (row["patient_id"], row["stated"]["problem"]) == (None, "unknown_patient")
    assert row["stated"]["person"]["surname"] == "Құрылғыбаева"
    assert row["stated"]["accession_numbers"] == ["NONE-1"]


def test_the_same_object_again_succeeds_and_another_content_is_refused(
    laboratory: Laboratory, port: int, tmp_path: Path
) -> None:
    image = ct_slice(generate_uid(), generate_uid(), 1)
    path = save(image, tmp_path / "a.dcm")
    assert store(port, path, path).returncode == 0
    image.PixelData = b"\1" * 512
    refused = store(port, save(image, tmp_path / "b.dcm"))
    assert "DataSetDoesNotMatchSOPClass" in refused.stderr
    (entry,) = laboratory.rows("select * from imaging_instance where sop_uid = %s", image.SOPInstanceUID)
    assert dcmread(laboratory.settings.root / entry["file_path"]).PixelData == dcmread(path).PixelData
    kept = laboratory.rows(
        "select * from device_message where problem = 'sop_differs' and device_id = %s order by id desc limit 1",
        laboratory.devices["ct"],
    )[0]
    assert dcmread(laboratory.settings.root / kept["raw_path"]).PixelData == b"\1" * 512


def test_an_object_of_another_organisations_study_is_refused(laboratory: Laboratory, port: int, tmp_path: Path) -> None:
    study, series = generate_uid(), generate_uid()
    assert store(port, save(ct_slice(study, series, 1), tmp_path / "a.dcm")).returncode == 0
    other = ct_slice(study, series, 2)
    refused = store(port, save(other, tmp_path / "b.dcm"), aet="OTHERCT")
    assert "DataSetDoesNotMatchSOPClass" in refused.stderr
    assert not (laboratory.settings.dicom_dir / study / f"{other.SOPInstanceUID}.dcm").exists()
    assert study_of(laboratory, study)["instances"] == 1


@pytest.mark.parametrize(
    ("name", "value", "problem", "status"),
    [
        ("StudyInstanceUID", "", "missing_uid", "DataSetDoesNotMatchSOPClass"),
        ("SeriesInstanceUID", "../../etc", "malformed", "CannotUnderstand"),
    ],
)
def test_an_object_without_proper_uids_is_refused_and_kept(
    laboratory: Laboratory, port: int, tmp_path: Path, name: str, value: str, problem: str, status: str
) -> None:
    image = ct_slice(generate_uid(), generate_uid(), laboratory.serial())
    image[name].value = value
    before = len(laboratory.rows("select 1 from device_message where problem = %s", problem))
    refused = store(port, save(image, tmp_path / "a.dcm"))
    assert status in refused.stderr
    assert len(laboratory.rows("select 1 from device_message where problem = %s", problem)) == before + 1
    assert dcmtk("echoscu", "-aet", "TESTCT", "-aec", "KMIS", "127.0.0.1", str(port)).returncode == 0


@pytest.mark.requirement("INT-PACS-01")
def test_the_worklist_holds_the_open_orders_of_the_devices_organisation(
    laboratory: Laboratory, world: dict[str, int], port: int, tmp_path: Path
) -> None:
    patient, iin = laboratory.person()
    soon = datetime.now(UTC) + timedelta(days=40)
    day = f"{soon.astimezone(laboratory.settings.zone):%Y%m%d}"
    _, wanted = laboratory.order(patient, "imaging", scheduled_at=soon, station_aet="TESTCT")
    _, performed = laboratory.order(
        patient, "imaging", scheduled_at=soon, owner_organisation_id=world["polyclinic"],
        performing_organisation_id=laboratory.organisation,
    )  # fmt: skip
    laboratory.order(patient, "imaging", scheduled_at=soon, performing_organisation_id=world["other"])
    laboratory.order(patient, "imaging", scheduled_at=soon, modality="US")
    laboratory.order(patient, "imaging", scheduled_at=soon, status="completed", completed_at=soon)
    laboratory.order(patient, "imaging", scheduled_at=soon, station_aet="ANOTHER")
    laboratory.order(patient, "imaging", scheduled_at=soon + timedelta(days=2))
    step = "ScheduledProcedureStepSequence[0]."
    found = dcmtk(
        "findscu", "-W", "-X", "-od", str(tmp_path), "-aet", "TESTCT", "-aec", "KMIS",
        "-k", f"PatientID={iin}", "-k", "PatientName", "-k", "AccessionNumber",
        "-k", f"{step}Modality=CT", "-k", f"{step}ScheduledStationAETitle=TESTCT",
        "-k", f"{step}ScheduledProcedureStepStartDate={day}-{day}", "127.0.0.1", str(port),
    )  # fmt: skip
    assert found.returncode == 0, found.stderr
    entries = [dcmread(path) for path in sorted(tmp_path.glob("rsp*.dcm"))]
    assert sorted(str(entry.AccessionNumber) for entry in entries) == sorted([wanted, performed])
    assert {str(entry.PatientName) for entry in entries} == {"Құрылғыбаева^Сынақгүл"}
    assert {entry.SpecificCharacterSet for entry in entries} == {"ISO_IR 192"}
    assert len({entry.StudyInstanceUID for entry in entries}) == 2


def test_what_is_asked_by_accession_number_or_name_is_found(laboratory: Laboratory, port: int, tmp_path: Path) -> None:
    patient, iin = laboratory.person()
    _, accession = laboratory.order(patient, "imaging")
    _, other = laboratory.order(patient, "imaging")
    for number, key in enumerate((f"AccessionNumber={accession}", "PatientName=ҚҰРЫЛҒЫБАЕВА^С*")):
        folder = tmp_path / str(number)
        folder.mkdir()
        found = dcmtk(
            "findscu", "-W", "-X", "-od", str(folder), "-aet", "TESTCT", "-aec", "KMIS", "-k", key,
            "-k", "SpecificCharacterSet=ISO_IR 192", "-k", f"PatientID={iin}", "127.0.0.1", str(port),
        )  # fmt: skip
        assert found.returncode == 0
        numbers = {str(dcmread(path).AccessionNumber) for path in folder.glob("rsp*.dcm")}
        assert numbers == ({accession} if number == 0 else {accession, other})


def test_what_was_stored_stands_after_a_restart_and_a_crash_loses_nothing(
    laboratory: Laboratory, tmp_path: Path
) -> None:
    study, series = generate_uid(), generate_uid()
    paths = [save(ct_slice(study, series, number), tmp_path / f"{number}.dcm") for number in range(3)]
    dies = (
        "import os, signal\nfrom device_ingest.dicom.storage import Storage\nkeep = Storage._index\n"
        "def index(self, device, waiting, instance, *rest):\n"
        "    if instance.instance_number == 2:\n        os.kill(os.getpid(), signal.SIGKILL)\n"
        "    return keep(self, device, waiting, instance, *rest)\nStorage._index = index"
    )
    one = {"KMIS_DICOM_PROCESSES": "1"}
    with process(laboratory.settings, "device_ingest.dicom", dies, **one) as (port, _):
        assert store(port, *paths).returncode != 0
    assert len(laboratory.rows("select 1 from imaging_instance where study_uid = %s", study)) == 2
    with process(laboratory.settings, "device_ingest.dicom", **one) as (port, _):
        wait_for(lambda: len(laboratory.rows("select 1 from imaging_instance where study_uid = %s", study)) == 3)
        assert store(port, *paths).returncode == 0
    assert study_of(laboratory, study)["instances"] == 3
    files = sorted((laboratory.settings.dicom_dir / study).iterdir())
    assert len(files) == 3 and all(dcmread(path).PixelData for path in files)


def test_two_processes_share_one_port(laboratory: Laboratory, tmp_path: Path) -> None:
    study, series = generate_uid(), generate_uid()
    with process(laboratory.settings, "device_ingest.dicom", KMIS_DICOM_PROCESSES="2") as (port, _):
        for number in range(4):
            assert store(port, save(ct_slice(study, series, number), tmp_path / f"{number}.dcm")).returncode == 0
        assert study_of(laboratory, study)
        wait_for(lambda: study_of(laboratory, study)["instances"] == 4)


def test_a_store_that_does_not_answer_is_a_failure_and_not_a_success(
    laboratory: Laboratory, port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from device_ingest.gateway import StoreUnavailable

    def down(*_: object) -> None:
        raise StoreUnavailable("down")

    path = save(ct_slice(generate_uid(), generate_uid(), 1), tmp_path / "a.dcm")
    with monkeypatch.context() as patched:
        patched.setattr(Gateway, "record_instances", down)
        refused = store(port, path)
        assert "OutOfResources" in refused.stderr
    assert store(port, path).returncode == 0
