"""``python -m device_ingest.dicom``: the DICOM listener, in as many processes as the settings say.

They share one listening socket; one process takes up at start what an earlier listener left.
"""

from __future__ import annotations

import contextlib
import logging
import mmap
import multiprocessing
import os
import signal
import socket
import sys
import threading
import time
from datetime import timedelta
from multiprocessing.process import BaseProcess

from device_ingest.dicom.listener import QUIET_S, Listener
from device_ingest.gateway import Gateway, StoreUnavailable
from kmis.settings import Settings, get_settings

log = logging.getLogger("kmis.dicom")
FORK = multiprocessing.get_context("fork")
RETRY_S = 5.0
ORPHAN_S = 0.5


def open_port(host: str, port: int) -> socket.socket:
    """The listening socket that all processes share; port 0 takes a free one."""
    return socket.create_server((host, port), backlog=128)


def work(settings: Settings, listening: socket.socket, counts: mmap.mmap | None, place: int) -> None:
    """One process: serve until SIGTERM."""
    listener = Listener(Gateway(settings), listening, counts, place)
    ending = threading.Event()

    def _end(signum: int, frame: object) -> None:
        ending.set()

    signal.signal(signal.SIGTERM, _end)
    signal.signal(signal.SIGINT, _end)
    serving = threading.Thread(target=listener.serve, name="dicom-accept")
    serving.start()
    if place == 0:
        _recover(listener, ending)
    parent = multiprocessing.parent_process()
    # A parent that was killed cannot end its processes; they would hold the port against the listener that follows.
    while not ending.wait(ORPHAN_S) and (parent is None or os.getppid() == parent.pid):
        pass
    listener.stop()
    serving.join()


def _recover(listener: Listener, ending: threading.Event) -> None:
    """Take up what an earlier listener left; wait for the store where it does not answer yet."""
    while not ending.is_set():
        try:
            listener.gateway.settle_quiet(timedelta(seconds=2 * QUIET_S))
            taken = listener.storage.recover()
        except StoreUnavailable:
            ending.wait(RETRY_S)
            continue
        if taken:
            log.warning("%d objects of an earlier listener were taken up", taken)
        return


def run(settings: Settings, listening: socket.socket) -> None:
    """Keep the processes running until SIGTERM or SIGINT."""
    number = settings.dicom_processes
    if number == 1:
        work(settings, listening, None, 0)
        return
    counts = mmap.mmap(-1, number)
    ending = False

    def _end(signum: int, frame: object) -> None:
        nonlocal ending
        ending = True

    def start(place: int) -> BaseProcess:
        process = FORK.Process(target=work, args=(settings, listening, counts, place), name=f"dicom-{place}")
        process.start()
        return process

    processes = [start(place) for place in range(number)]
    signal.signal(signal.SIGTERM, _end)
    signal.signal(signal.SIGINT, _end)
    while not ending:
        time.sleep(0.2)
        for place, process in enumerate(processes):
            if not process.is_alive() and not ending:
                log.error("process %d of the DICOM listener ended and is started again", place)
                processes[place] = start(place)
    for process in processes:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
    for process in processes:
        process.join()


def main() -> int:
    """Listen at the port of the settings; ``--port 0`` takes a free one and prints it."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    settings = get_settings()
    port = int(sys.argv[sys.argv.index("--port") + 1]) if "--port" in sys.argv else settings.dicom_port
    listening = open_port(settings.host, port)
    sys.stdout.write(f"listening on {listening.getsockname()[1]}\n")
    sys.stdout.flush()
    run(settings, listening)
    return 0


if __name__ == "__main__":
    sys.exit(main())
