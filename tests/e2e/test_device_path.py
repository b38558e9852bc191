"""Devices in a real browser: an order reaches the scanner, its images and a laboratory's results reach the card."""

from __future__ import annotations

import json
import os
import re
import signal
import time
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.uid import generate_uid

from tests.device_ingest.messages import oru, wbc
from tests.device_ingest.objects import ct_slice, dcmtk, save, store
from tests.device_ingest.running import Sender, wait_for
from tests.e2e.conftest import SignedIn
from tests.e2e.installation import Installation
from tests.e2e.screens import pick, text

pytestmark = pytest.mark.journey
SLICES = 12
SIDE = 128
CALLED = "KMIS"
PERSONS = (
    "select p.id, p.iin, p.surname from patient p where p.iin is not null and p.death_date is null"
    " and p.voided_at is null and p.merged_into_id is null and p.birth_date < '1990-01-01'"
    " and not exists (select from diagnostic_order o where o.patient_id = p.id) order by p.id limit 2"
)


def device(installation: Installation, protocol: str, modality: str | None = None) -> str:
    """The address by which a device of the ward's hospital calls itself."""
    (row,) = installation.rows(
        "select d.address from device d join organisation o on o.id = d.organisation_id where d.protocol = %s"
        " and o.kind = 'hospital' and d.modality is not distinct from %s order by d.id limit 1", protocol, modality,
    )  # fmt: skip
    return str(row[0])


def picture(study: str, series: str, number: int, accession: str, iin: str) -> Dataset:
    """A slice in which something is to be seen: a circle that grows, soft tissue on air."""
    values = bytearray()
    for row in range(SIDE):
        for column in range(SIDE):
            distance = (row - SIDE / 2) ** 2 + (column - SIDE / 2) ** 2
            inside = distance < (24 + 3 * number) ** 2
            values += (1064 + 4 * number if inside else 24).to_bytes(2, "little")
    return ct_slice(
        study, series, number + 1, AccessionNumber=accession, PatientID=iin, Rows=SIDE, Columns=SIDE,
        RescaleSlope="1", RescaleIntercept="-1024", WindowCenter="40", WindowWidth="400", PixelData=bytes(values),
        ImagePositionPatient=[0, 0, 5 * number], ImageOrientationPatient=[1, 0, 0, 0, 1, 0], PixelSpacing=[1, 1],
    )  # fmt: skip


def order_of(page: Page) -> tuple[int, str]:
    """Key and accession number of the order that has just been placed."""
    page.locator("main form [data-submit]").last.click()
    page.wait_for_url(re.compile(r"/orders/\d+$"))
    number = re.search(r"\b[A-Z0-9-]*\d{6,}\b", page.locator("main").inner_text())
    assert number
    return int(page.url.rsplit("/", 1)[1]), number.group()


def order_ct(page: Page, patient: int, station: str) -> tuple[int, str]:
    """Order a CT of the chest for today."""
    page.goto(f"/orders/new?patient={patient}&category=imaging")
    page.locator("#f-modality").select_option("CT")
    page.locator("#f-body_part").select_option(index=1)
    page.locator("#f-station_aet").select_option(station)
    pick(page, "icd10_code", "J18.9", "J18.9")
    page.locator("#f-clinical_note").fill("Өкпе қабынуына күдік")
    return order_of(page)


def shown(canvas: Locator, pattern: str) -> None:
    """What the viewer's canvas says that it shows: series/slice/scale/centre,width."""
    expect(canvas).to_have_attribute("data-shown", re.compile(pattern))


def listener_of(installation: Installation) -> int:
    """The process of the DICOM listener that the supervisor knows."""
    state = json.loads((installation.home / "run" / "supervisor.json").read_text(encoding="utf-8"))
    return int(state["parts"]["dicom"])


def restart_dicom(installation: Installation, port: int, aet: str) -> float:
    """Kill the DICOM listener; the supervisor starts it again. Seconds until the new one answers."""
    killed = listener_of(installation)
    under_it = Path(f"/proc/{killed}/task/{killed}/children").read_text(encoding="ascii").split()
    began = time.monotonic()
    os.kill(killed, signal.SIGKILL)

    def another() -> bool:
        gone = not any(Path(f"/proc/{child}").exists() for child in under_it)
        return gone and listener_of(installation) != killed and echo(port, aet)

    wait_for(another, 120)
    return time.monotonic() - began


def echo(port: int, aet: str) -> bool:
    """Whether the listener answers a C-ECHO."""
    return dcmtk("echoscu", "-aet", aet, "-aec", CALLED, "127.0.0.1", str(port)).returncode == 0


def test_the_peers_are_dcmtks_own_programs() -> None:
    for program in ("echoscu", "storescu", "findscu"):
        assert "$dcmtk:" in dcmtk(program, "--version").stdout


def test_an_object_of_the_demonstration_may_be_sent_again(installation: Installation) -> None:
    """A modality repeats what it is not sure of; the same object is no second one, and no contradiction."""
    sent = sorted((installation.home / "dicom").rglob("*.dcm"))[0]
    before = installation.rows("select count(*) from imaging_instance")
    answer = store(int(installation.environment["KMIS_DICOM_PORT"]), sent, aet=device(installation, "dicom", "CT"))
    assert answer.returncode == 0, answer.stderr
    assert installation.rows("select count(*) from imaging_instance") == before


@pytest.mark.parametrize("language", ["kk", pytest.param("ru", marks=pytest.mark.long)])
@pytest.mark.requirement("PACS-01", "PACS-04", "INT-PACS-04")
def test_images_of_an_order_are_in_the_card_after_a_restart_and_can_be_read(
    installation: Installation, signed_in: SignedIn, tmp_path: Path, language: str
) -> None:
    port, aet = int(installation.environment["KMIS_DICOM_PORT"]), device(installation, "dicom", "CT")
    patient, iin, surname = installation.rows(PERSONS)[0]
    ward = signed_in("ward", language)
    order, accession = order_ct(ward, patient, aet)

    assert echo(port, aet)
    step = "ScheduledProcedureStepSequence[0]."
    found = dcmtk(
        "findscu", "-W", "-X", "-od", str(tmp_path), "-aet", aet, "-aec", CALLED, "-k", "PatientName",
        "-k", "StudyInstanceUID", "-k", f"AccessionNumber={accession}", "-k", f"{step}Modality=CT",
        "127.0.0.1", str(port),
    )  # fmt: skip
    assert found.returncode == 0, found.stderr
    (entry,) = [dcmread(path) for path in tmp_path.glob("rsp*.dcm")]
    assert str(entry.PatientName).split("^")[0].upper() == surname.upper()

    study, series = str(entry.StudyInstanceUID), generate_uid()
    images = [picture(study, series, number, accession, iin) for number in range(SLICES)]
    files = [save(image, tmp_path / f"{number}.dcm") for number, image in enumerate(images)]
    assert store(port, *files, aet=aet, called=CALLED).returncode == 0
    print(f"\n  the listener answered {restart_dicom(installation, port, aet):.1f} s after it was killed")

    ward.goto(f"/patients/{patient}")
    opening = ward.locator('.timeline a[href^="/images/"]')
    expect(opening).to_have_count(1)
    opening.click()
    canvas = ward.locator("canvas")
    shown(canvas, r"^0/0/1/40,400$")
    expect(ward.locator("[data-number]")).to_have_text(f"1 / {SLICES}")
    canvas.focus()
    ward.keyboard.press("ArrowDown")
    ward.keyboard.press("ArrowDown")
    shown(canvas, r"^0/2/1/40,400$")
    ward.keyboard.press("End")
    shown(canvas, rf"^0/{SLICES - 1}/1/40,400$")
    ward.keyboard.press("+")
    expect(ward.locator("[data-zoom]")).to_have_text("125 %")
    lung = ward.locator("[data-preset]").nth(1)
    centre, width = str(lung.get_attribute("data-preset")).split(",")
    lung.click()
    shown(canvas, rf"^0/{SLICES - 1}/1/{centre},{width}$")
    ward.screenshot(path=installation.screenshots / f"ct-{language}.png", full_page=True)
    ward.goto(f"/orders/{order}")
    expect(ward.locator("main")).to_contain_text(text("orders.status.completed", language))


@pytest.mark.parametrize("language", ["kk", pytest.param("ru", marks=pytest.mark.long)])
@pytest.mark.requirement("LAB-14")
def test_a_result_reaches_the_card_and_a_strangers_is_matched_by_hand(
    installation: Installation, signed_in: SignedIn, language: str
) -> None:
    port, sender = int(installation.environment["KMIS_MLLP_PORT"]), device(installation, "hl7v2")
    patient, iin, surname = installation.rows(PERSONS)[1]
    ward = signed_in("ward", language)
    ward.goto(f"/orders/new?patient={patient}")
    (leukocytes,) = installation.rows("select code from lab_test where loinc = '6690-2' limit 1")
    ward.locator(f'input[name=tests][value="{leukocytes[0]}"]').first.evaluate("box => box.click()")
    order, accession = order_of(ward)
    stamp = time.strftime("%Y%m%d%H%M%S", time.gmtime(time.time() + 5 * 3600))
    with Sender(port) as line:
        answer = line.send(
            oru(f"E{order}", iin=iin, placer=accession, filler=f"F{order}", values=(wbc("14.8", flag="H"),),
                sender=sender, at=stamp, issued=stamp)
        )  # fmt: skip
        assert f"MSA|AA|E{order}" in answer
        unknown = line.send(
            oru(f"U{order}", iin="", filler=f"S{order}", values=(wbc("3.1", flag="L"),), sender=sender, at=stamp,
                issued=stamp)
        )  # fmt: skip
        assert f"MSA|AA|U{order}" in unknown

    ward.goto(f"/orders/{order}")
    flagged = ward.locator("main .abnormal")
    expect(flagged.first).to_contain_text("14,8")
    ward.screenshot(path=installation.screenshots / f"lab-order-{language}.png", full_page=True)
    ward.goto(f"/patients/{patient}")
    results = ward.locator('.timeline a[href^="/results/"]')
    expect(results).to_have_count(1)

    lab = signed_in("lab", language)
    (waiting,) = installation.rows(
        "select id from device_message where control_id = %s and status = 'unmatched'", f"U{order}"
    )
    lab.goto("/inbox/messages")
    lab.locator(f'a[href="/inbox/messages/{waiting[0]}"]').click()
    expect(lab.locator("main")).to_contain_text("3.1")
    pick(lab.locator("#candidates"), "patient_id", iin, str(patient))
    lab.locator("#candidates form").last.locator(".form-buttons button").click()
    expect(lab.locator("#chosen")).to_contain_text(surname)
    lab.locator("#chosen [data-submit]").click()
    expect(lab.locator(".badge-ok", has_text=text("inbox.state.matched", language))).to_be_visible()
    lab.screenshot(path=installation.screenshots / f"inbox-matched-{language}.png", full_page=True)
    ward.goto(f"/patients/{patient}")
    expect(results).to_have_count(2)
