"""Simulated devices: an analyser that sends ORU^R01 over MLLP, and a modality that sends pictures by C-STORE.

Both may send again: the same bytes, the same object are recorded once. So they do until they are told that it is kept.
"""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import Final

from pydicom import dcmread
from pydicom.dataset import Dataset
from pynetdicom import AE
from pynetdicom.association import Association

from kmis.settings import Settings
from operational.demo.live.speaking import CONNECT_S, Patience, Refused
from operational.demo.pictures import Picture

BEGIN, END = b"\x0b", b"\x1c\r"
ANSWER_S: Final = 30.0
# What an installation says when its store is down for the moment.
STORE_DOWN, OUT_OF_RESOURCES = b"the store does not answer", 0xA700


@dataclass(frozen=True, slots=True)
class Measured:
    """One value of a laboratory's message, by the device's own code."""

    code: str
    value: str
    unit: str


def oru(sender: str, control: str, accession: str, at: str, values: Iterable[Measured]) -> bytes:
    """An ORU^R01 with one final report of an order; ``at`` is its local time as YYYYMMDDHHMMSS. Names nobody."""
    segments = [
        f"MSH|^~\\&|{sender}|KMIS||{at}||ORU^R01^ORU_R01|{control}|P|2.5.1||||||UNICODE UTF-8",
        "PID|1",
        f"OBR|1|{accession}|{control}|LIVE^Panel|||{at}|||||||||||||||{at}|||F",
        *(f"OBX|{n}|NM|{v.code}^{v.code}||{v.value}|{v.unit}|||||F|||{at}" for n, v in enumerate(values, 1)),
    ]
    return "".join(f"{segment}\r" for segment in segments).encode()


class Devices:
    """The devices of the demonstration, at the ports of one installation."""

    def __init__(self, settings: Settings, patience: Patience) -> None:
        self.settings = settings
        self.patience = patience

    def send(self, message: bytes) -> None:
        """Send a message until it is acknowledged with AA. Raises Refused, Stopped."""
        attempt = 0
        while True:
            with contextlib.suppress(OSError):
                answer = self._exchange(message)
                if b"\rMSA|AA|" in answer:
                    return
                if answer and STORE_DOWN not in answer:
                    raise Refused(f"MLLP {_acknowledgement(answer)}")
            attempt += 1
            self.patience.pause(attempt)

    def _exchange(self, message: bytes) -> bytes:
        address = self.settings.host, self.settings.mllp_port
        with socket.create_connection(address, timeout=CONNECT_S) as connection:
            connection.settimeout(ANSWER_S)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.sendall(BEGIN + message + END)
            answer = b""
            while END not in answer and (part := connection.recv(65536)):
                answer += part
            return answer if END in answer else b""

    def store(self, station: str, pictures: Iterable[Picture]) -> Iterator[Picture]:
        """Send pictures until each is stored; yields each as its success comes. Raises Refused, Stopped."""
        waiting = list(pictures)
        attempt = 0
        while waiting:
            with self._association(station, waiting) as association:
                while waiting and association is not None and association.is_established:
                    data = dcmread(BytesIO(waiting[0].content))
                    status = _status(association, data)
                    if status == 0x0000:
                        yield waiting.pop(0)
                        attempt = 0
                    elif status in (None, OUT_OF_RESOURCES):
                        break
                    else:
                        raise Refused(f"C-STORE 0x{status:04X}")
            if waiting:
                attempt += 1
                self.patience.pause(attempt)

    @contextlib.contextmanager
    def _association(self, station: str, pictures: list[Picture]) -> Iterator[Association | None]:
        """An association for the pictures' classes; None where there is none now."""
        entity = AE(ae_title=station)
        entity.connection_timeout, entity.acse_timeout = CONNECT_S, ANSWER_S
        entity.dimse_timeout = entity.network_timeout = ANSWER_S
        for sop_class in sorted({picture.sop_class for picture in pictures}):
            entity.add_requested_context(sop_class, "1.2.840.10008.1.2.1")
        association = entity.associate(
            self.settings.host, self.settings.dicom_port, ae_title=self.settings.dicom_aet
        )  # fmt: skip
        try:
            yield association if association.is_established else None
        finally:
            if association.is_established:
                association.release()


def _status(association: Association, data: Dataset) -> int | None:
    """The status of a C-STORE; None when the association ended without one."""
    try:
        status: int | None = association.send_c_store(data).get("Status")
    except RuntimeError:  # it ended since it was looked at
        return None
    return status


def _acknowledgement(answer: bytes) -> str:
    lines = answer.decode(errors="replace").split("\r")
    return next((line for line in lines if line.startswith("MSA|")), "without MSA").split("|", 3)[-1]
