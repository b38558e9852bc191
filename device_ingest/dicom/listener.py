"""The association server: who may associate, which services there are, and a transport that loses no time.

pynetdicom reads a socket 4 KB at a time and looks for data once a millisecond; the socket here reads a whole
protocol data unit at once and is woken by its data.
"""

from __future__ import annotations

import contextlib
import logging
import mmap
import queue
import select
import socket
import threading
import time
import traceback
from collections.abc import Sequence
from typing import Any, cast

from pydicom import config
from pydicom.dataset import Dataset
from pynetdicom import AE, _config, evt
from pynetdicom.association import Association
from pynetdicom.dimse_primitives import C_STORE
from pynetdicom.events import Event
from pynetdicom.pdu_primitives import A_ASSOCIATE
from pynetdicom.transport import AssociationServer, AssociationSocket, RequestHandler

from device_ingest.dicom.committer import Committer
from device_ingest.dicom.storage import OUT_OF_RESOURCES, Answer, Storage
from device_ingest.dicom.worklist import answer_worklist
from device_ingest.gateway import Gateway, KnownDevice, StoreUnavailable

log = logging.getLogger("kmis.dicom")
VERIFICATION, WORKLIST = "1.2.840.10008.1.1", "1.2.840.10008.5.1.4.31"
MAX_PDU = 131_072
QUIET_S = 60.0
# How long a reactor sleeps when nothing wakes it, in seconds.
WAIT_S = 0.02
# How often a busier process lets another one have a new connection first, and for how long, in seconds.
YIELDS, YIELD_S = 25, 0.004


class Waking(queue.Queue[Any]):
    """A queue whose new item wakes whoever waits for the socket."""

    def __init__(self, wake: socket.socket) -> None:
        super().__init__()
        self._wake = wake

    def put(self, item: Any, block: bool = True, timeout: float | None = None) -> None:
        super().put(item, block, timeout)
        with contextlib.suppress(OSError):  # the association has ended
            self._wake.send(b"!")


class Patient(queue.Queue[Any]):
    """A queue that is asked without waiting, in a loop that sleeps: it waits for the next item itself."""

    def get(self, block: bool = True, timeout: float | None = None) -> Any:
        return super().get(True, timeout if block else WAIT_S)


class Socket(AssociationSocket):
    """The transport of one association."""

    woken: socket.socket
    wake: socket.socket

    @property
    def ready(self) -> bool:
        """Whether data waits; sleeps until it comes or something is to be sent, so that the reactor need not."""
        if self.socket is None or not self._is_connected:
            return False
        try:
            found = select.select([self.socket, self.woken], [], [], WAIT_S)[0]
            if self.woken in found:
                self.woken.recv(4096)
            return self.socket in found
        except (OSError, ValueError):
            self.event_queue.put("Evt17")
            return False

    def close(self) -> None:
        super().close()
        self.woken.close()
        self.wake.close()

    def recv(self, nr_bytes: int) -> bytearray:
        """Read that many bytes, or fewer where the peer hung up."""
        connection = self.socket
        if connection is None:
            return bytearray()
        target = bytearray(nr_bytes)
        view, filled = memoryview(target), 0
        while filled < nr_bytes:
            count = connection.recv_into(view[filled:])
            if not count:
                break
            filled += count
        view.release()
        del target[filled:]
        return target


class Handler(RequestHandler):
    """Makes the association of a connection."""

    def _create_association(self) -> Association:
        connection = self.request
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        association = super()._create_association()
        # Another instance would announce the connection a second time to the state machine.
        cast(AssociationSocket, association.dul.socket).__class__ = Socket
        transport = cast(Socket, association.dul.socket)
        transport.woken, transport.wake = socket.socketpair()
        association.dul.to_provider_queue = Waking(transport.wake)
        association.dul._run_loop_delay = 0
        association.dimse.msg_queue = Patient()
        return association


class Server(AssociationServer):
    """A server on a socket that listens already, shared with other processes; the least busy one accepts.

    An association is a thread of its own, and it is made here: a further thread would make it later than it is counted.
    """

    listening: socket.socket
    counts: mmap.mmap | None = None
    place: int = 0
    _yielded = 0

    def server_bind(self) -> None:
        cast(socket.socket, self.socket).close()
        self.socket = self.listening
        self.server_address = self.listening.getsockname()

    def server_activate(self) -> None:
        self.listening.setblocking(False)

    def service_actions(self) -> None:
        super().service_actions()
        self._busy()

    def _busy(self) -> int:
        """How many associations this process has; the others may read it."""
        busy = min(len(self.active_associations), 255)
        if self.counts is not None:
            self.counts[self.place] = busy
        return busy

    def get_request(self) -> tuple[socket.socket, Any]:
        if self.counts is not None and self._busy() > min(self.counts[:]) and self._yielded < YIELDS:
            self._yielded += 1
            time.sleep(YIELD_S)
            raise BlockingIOError
        self._yielded = 0
        accepted = super().get_request()
        if self.counts is not None:
            self.counts[self.place] = min(self._busy() + 1, 255)
        return accepted


class Listener:
    """The DICOM services of one process."""

    def __init__(
        self, gateway: Gateway, listening: socket.socket,
        counts: mmap.mmap | None = None, place: int = 0,
    ) -> None:  # fmt: skip
        settings = gateway.settings
        self.gateway = gateway
        self.committer = Committer(gateway)
        self.storage = Storage(gateway, self.committer)
        self._open: dict[Association, set[str]] = {}
        self._devices: dict[Association, KnownDevice] = {}
        # Every storage class and transfer syntax is accepted: objects are kept as they come, never decoded.
        _config.UNRESTRICTED_STORAGE_SERVICE = True
        # What both libraries log or warn of shows what the messages hold.
        _config.LOG_HANDLER_LEVEL = "none"
        for name in ("pynetdicom", "pydicom"):
            logging.getLogger(name).setLevel(logging.CRITICAL)
        config.settings.reading_validation_mode = config.IGNORE
        application = AE(ae_title=settings.dicom_aet)
        application.require_called_aet = True
        application.maximum_pdu_size = MAX_PDU
        application.maximum_associations = settings.dicom_associations
        application.acse_timeout = application.dimse_timeout = 30
        application.network_timeout = QUIET_S
        application.add_supported_context(VERIFICATION)
        application.add_supported_context(WORKLIST)
        server_class = type("BoundServer", (Server,), {"listening": listening, "counts": counts, "place": place})
        self.server = application.make_server(
            ("", 0), evt_handlers=[
                (evt.EVT_REQUESTED, self._requested), (evt.EVT_C_ECHO, lambda event: 0x0000),
                (evt.EVT_C_STORE, self._store), (evt.EVT_C_FIND, self._find), (evt.EVT_CONN_CLOSE, self._closed),
            ],
            server_class=server_class, request_handler=Handler,
        )  # fmt: skip
        application._servers.append(self.server)

    def serve(self) -> None:
        """Accept associations until ``stop``."""
        self.server.serve_forever(poll_interval=0.2)

    def stop(self) -> None:
        """Accept nobody any more, end the associations, and commit what waits."""
        with contextlib.suppress(ValueError):
            self.server.shutdown()
        for association in self.server.active_associations:
            association.abort()
        self.committer.close()
        self.gateway.close()

    def _requested(self, event: Event) -> None:
        """Refuse whoever is not a registered device (PS3.8 section 9.3.4: the reasons of a rejection)."""
        association = event.assoc
        calling = cast(A_ASSOCIATE, association.requestor.primitive).calling_ae_title.strip()
        try:
            device = self.gateway.device("dicom", calling)
        except StoreUnavailable:
            self._reject(association, 0x02, 0x03, 0x01)
            return
        if device is None:
            log.warning("association refused: calling AE title not recognised")
            self._reject(association, 0x01, 0x01, 0x03)
            return
        self._devices[association] = device

    @staticmethod
    def _reject(association: Association, result: int, source: int, reason: int) -> None:
        association.acse.send_reject(result, source, reason)
        association.kill()

    def _store(self, event: Event) -> Dataset | int:
        request = cast(C_STORE, event.request)
        device = self._devices.get(event.assoc)
        if device is None or request.DataSet is None:
            return _status(Answer(0xC000, "no data set"))
        try:
            answer = self.storage.store(
                device,
                request.DataSet.getbuffer(),
                sop_class=str(request.AffectedSOPClassUID),
                sop_instance=str(request.AffectedSOPInstanceUID),
                transfer_syntax=str(event.context.transfer_syntax),
            )
        except Exception as error:  # the sender is told and repeats; the log says where, without what was sent
            place = traceback.extract_tb(error.__traceback__)[-1]
            log.error("storing failed: %s in %s, line %s", type(error).__name__, place.name, place.lineno)
            return _status(Answer(OUT_OF_RESOURCES, "not stored; send again"))
        if answer.study_uid is not None:
            self._open.setdefault(event.assoc, set()).add(answer.study_uid)
            if event.assoc not in self._devices:  # the peer hung up meanwhile
                self._open.pop(event.assoc, None)
                self._settle(device, [answer.study_uid])
        return _status(answer)

    def _find(self, event: Event) -> Any:
        device = self._devices.get(event.assoc)
        if device is not None:
            yield from answer_worklist(self.gateway, device, event)

    def _closed(self, event: Event) -> None:
        device = self._devices.pop(event.assoc, None)
        studies = self._open.pop(event.assoc, None)
        if device is not None and studies:
            # The peer does not wait for it; a study left open by a crash is settled at the next start.
            threading.Thread(target=self._settle, args=(device, sorted(studies)), name="dicom-settle").start()

    def _settle(self, device: KnownDevice, studies: Sequence[str]) -> None:
        try:
            self.gateway.settle(device, studies)
        except StoreUnavailable as error:
            log.error("a study was not completed: %s; it will be", error)


def _status(answer: Answer) -> Dataset | int:
    if not answer.comment:
        return answer.status
    found = Dataset()
    found.Status = answer.status
    found.ErrorComment = answer.comment[:64]
    return found
