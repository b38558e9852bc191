"""``kmis bench dicom``: images a second from dcmtk's ``storescu``, each durable and indexed before its success status.

One sender of 400 CT slices, then four senders at once, against a listener with an installation of its own; the time of
one C-STORE is the time between two success statuses that ``storescu`` reports. Peers in the same run, from the same
senders, with ``TCP_NODELAY`` on both sides: dcmtk's ``storescp`` (neither durable nor indexed) and Orthanc where it
is installed (indexed in its SQLite).
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

from kmis.bench.devices import BENCH_AET, Installation, installation, listener
from kmis.bench.results import Goal, Result, quantile

SLICES = 400
SENDERS = 4
GOALS = {1: 120.0, SENDERS: 300.0}
STORESCU, STORESCP, ORTHANC = Path("/usr/bin/storescu"), Path("/usr/bin/storescp"), Path("/usr/sbin/Orthanc")
START_S = 30.0
# Turns of each peer: what else the machine does meets all of them alike, and the best turn counts.
TURNS = 2


class NoPeer(RuntimeError):
    """dcmtk is not installed."""


@dataclass(frozen=True, slots=True)
class Rate:
    """Images a second of one receiver from so many senders at once."""

    receiver: str
    senders: int
    images: int
    seconds: float

    @property
    def per_second(self) -> float:
        return self.images / self.seconds


@dataclass(frozen=True, slots=True)
class Outcome:
    """Rates, seconds of each C-STORE from one sender, and whether all that was sent is in index and on disk."""

    rates: tuple[Rate, ...]
    store_seconds: tuple[float, ...]
    complete: bool


def make_study(folder: Path, slices: int, seed: int) -> Path:
    """A CT study of 512 x 512 slices with 16 bits."""
    folder.mkdir(parents=True)
    study, series = generate_uid(), generate_uid()
    pixels = os.urandom(512 * 512 * 2)
    for number in range(slices):
        image = Dataset()
        image.file_meta = FileMetaDataset()
        image.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        image.SOPClassUID = image.file_meta.MediaStorageSOPClassUID = CTImageStorage
        image.SOPInstanceUID = image.file_meta.MediaStorageSOPInstanceUID = generate_uid()
        image.StudyInstanceUID, image.SeriesInstanceUID = study, series
        image.Modality, image.PatientID, image.PatientName = "CT", f"BENCH{seed}", "Bench"
        image.StudyDate, image.StudyTime, image.AccessionNumber = "20260101", "080000", ""
        image.SeriesNumber, image.InstanceNumber = 1, number + 1
        image.Rows = image.Columns = 512
        image.BitsAllocated, image.BitsStored, image.HighBit, image.PixelRepresentation = 16, 16, 15, 0
        image.SamplesPerPixel, image.PhotometricInterpretation = 1, "MONOCHROME2"
        image.PixelData = pixels
        image.save_as(folder / f"{number:04}.dcm", enforce_file_format=True)
    return folder


def send(port: int, called: str, folders: list[Path]) -> float:
    """Send each folder by a ``storescu`` of its own, all at once; seconds until the last has ended."""
    started = time.perf_counter()
    processes = [
        subprocess.Popen(
            [str(STORESCU), "+sd", "-aet", BENCH_AET, "-aec", called, "127.0.0.1", str(port), str(folder)],
            env=_quick(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        )
        for folder in folders
    ]  # fmt: skip
    errors = [process.communicate()[1] for process in processes]
    if any(process.returncode for process in processes):
        raise RuntimeError(f"storescu failed: {errors[0][-200:].decode(errors='replace')}")
    return time.perf_counter() - started


def times_of_each(port: int, called: str, folder: Path) -> list[float]:
    """Seconds from one success status to the next."""
    process = subprocess.Popen(
        [str(STORESCU), "-v", "+sd", "-aet", BENCH_AET, "-aec", called, "127.0.0.1", str(port), str(folder)],
        env=_quick(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    seen: list[float] = []
    for line in process.stderr or ():
        if "Received Store Response (Success)" in line:
            seen.append(time.perf_counter())
    process.wait()
    return [later - earlier for earlier, later in itertools.pairwise(seen)]


def run(slices: int = SLICES, say: Callable[[str], None] = lambda line: None) -> Outcome:
    """Measure. Raises NoPeer when dcmtk is not installed."""
    if not STORESCU.exists() or not STORESCP.exists():
        raise NoPeer("the benchmark sends by dcmtk: install the package dcmtk")
    rates: dict[tuple[str, int], Rate] = {}
    with tempfile.TemporaryDirectory(prefix="kmis-bench-") as temporary, installation() as installed:
        folder = Path(temporary)

        def measure(receiver: str, port: int, called: str, turn: int) -> None:
            for senders in (1, SENDERS):
                each = slices if senders == 1 else slices // 2
                studies = [
                    make_study(folder / f"{receiver}{turn}{senders}{place}", each, place) for place in range(senders)
                ]
                say(f"{receiver}: {senders} x {each} slices")
                rate = Rate(receiver, senders, each * senders, send(port, called, studies))
                known = rates.get((receiver, senders))
                if known is None or rate.seconds < known.seconds:
                    rates[receiver, senders] = rate
                for study in studies:
                    shutil.rmtree(study)

        with listener(installed, "device_ingest.dicom") as (port, _):
            for turn in range(TURNS):
                measure("kmis", port, "KMIS", turn)
                for name, peer in (("storescp", _storescp), ("orthanc", _orthanc)):
                    if name == "storescp" or ORTHANC.exists():
                        with peer(folder / f"{name}{turn}") as peer_port:
                            measure(name, peer_port, name.upper(), turn)
            times = times_of_each(port, "KMIS", make_study(folder / "each", slices // 2, 9))
        sent = TURNS * (slices + SENDERS * (slices // 2)) + slices // 2
        return Outcome(tuple(rates.values()), tuple(times), _complete(installed, sent))


def report(outcome: Outcome) -> Result:
    """The result: images a second of each receiver and of so many senders."""
    own = {rate.senders: rate.per_second for rate in outcome.rates if rate.receiver == "kmis"}
    lines, goals, ratios = [], [], []
    for rate in outcome.rates:
        line = f"{rate.receiver:<9} {rate.senders} sender(s) {rate.per_second:7.1f} images/s"
        if rate.receiver == "kmis":
            goal = GOALS[rate.senders]
            asked = f"{rate.senders} sender(s): at least {goal:g} images/s"
            goals.append(Goal(asked, f"{rate.per_second:.1f} images/s", rate.per_second >= goal))
        else:
            faster = own[rate.senders] / rate.per_second
            line += f"   kmis is {faster:.2f} times as fast"
            ratios.append(f"kmis is {faster:.2f} times as fast as {rate.receiver} with {rate.senders} sender(s)")
        lines.append(line)
    times = list(outcome.store_seconds)
    lines.append(f"one C-STORE: median {quantile(times, 0.5) * 1e3:.1f} ms, p95 {quantile(times, 0.95) * 1e3:.1f} ms")
    complete = "yes" if outcome.complete else "NO"
    goals.append(Goal("every image in index and on disk", complete, outcome.complete))
    sizes = sorted({rate.images for rate in outcome.rates})
    return Result(
        name="dicom",
        title="CT slices a second from dcmtk's storescu, each synced to disk and indexed before its success status.",
        size=f"{' and '.join(map(str, sizes))} slices of 512 x 512 with 16 bits from 1 and {SENDERS} senders,"
        f" the best of {TURNS} turns",
        goals=tuple(goals),
        peer="dcmtk's storescp, neither durable nor indexed, and Orthanc where it is installed",
        ratio=", ".join(ratios),
        lines=tuple(lines),
    )


def _quick() -> dict[str, str]:
    return os.environ | {"TCP_NODELAY": "1"}


def _complete(installed: Installation, sent: int) -> bool:
    with psycopg.connect(installed.settings.dsn("kmis_owner")) as connection:
        rows = connection.execute("select file_path, file_bytes from imaging_instance").fetchall()
    on_disk = all((installed.settings.root / path).stat().st_size == size for path, size in rows)
    return len(rows) == sent and on_disk


@contextlib.contextmanager
def _storescp(folder: Path) -> Iterator[int]:
    folder.mkdir()
    port = _free_port()
    with _running([str(STORESCP), "--fork", "-od", str(folder), str(port)], port):
        yield port


@contextlib.contextmanager
def _orthanc(folder: Path) -> Iterator[int]:
    folder.mkdir()
    port = _free_port()
    settings = {
        "Name": "bench", "StorageDirectory": str(folder), "IndexDirectory": str(folder), "HttpServerEnabled": False,
        "DicomAet": "ORTHANC", "DicomPort": port, "DicomAlwaysAllowStore": True, "Plugins": [],
        "DicomCheckCalledAet": False,
    }  # fmt: skip
    file = folder / "orthanc.json"
    file.write_text(json.dumps(settings))
    with _running([str(ORTHANC), str(file)], port):
        yield port


@contextlib.contextmanager
def _running(command: list[str], port: int) -> Iterator[None]:
    process = subprocess.Popen(command, env=_quick(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                break
            time.sleep(0.1)
        yield
    finally:
        process.terminate()
        process.wait(30)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])
