"""One transaction for the index rows of all objects that wait: each of several senders waits for one commit only."""

from __future__ import annotations

import queue
import threading
from concurrent.futures import Future
from dataclasses import dataclass

from device_ingest.gateway import DeliveredInstance, Gateway, KnownDevice, Verdict

BATCH = 64


@dataclass(frozen=True, slots=True)
class _Waiting:
    device: KnownDevice
    instance: DeliveredInstance
    answer: Future[Verdict]


class Committer:
    """A thread that writes index rows."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._queue: queue.SimpleQueue[_Waiting | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="dicom-index", daemon=True)
        self._thread.start()

    def submit(self, device: KnownDevice, instance: DeliveredInstance) -> Future[Verdict]:
        """Index one object. The answer is there when it is committed, or raises StoreUnavailable or StoreRefused."""
        answer: Future[Verdict] = Future()
        self._queue.put(_Waiting(device, instance, answer))
        return answer

    def close(self) -> None:
        """Commit what waits, then end."""
        self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        while (first := self._queue.get()) is not None:
            batch, last = [first], False
            while len(batch) < BATCH:
                try:
                    further = self._queue.get_nowait()
                except queue.Empty:
                    break
                if further is None:
                    last = True
                    break
                batch.append(further)
            groups: dict[int, list[_Waiting]] = {}
            for item in batch:
                groups.setdefault(item.device.id, []).append(item)
            for group in groups.values():
                self._commit(group)
            if last:
                return

    def _commit(self, group: list[_Waiting]) -> None:
        try:
            verdicts = self._gateway.record_instances(group[0].device, [item.instance for item in group])
        except Exception as error:  # each sender is told; one refused object must not fail its neighbours
            if len(group) == 1:
                group[0].answer.set_exception(error)
            else:
                for item in group:
                    self._commit([item])
            return
        for item, verdict in zip(group, verdicts, strict=True):
            item.answer.set_result(verdict)
