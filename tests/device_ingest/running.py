"""Listeners for tests: in this process, or as the process that an installation starts."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import TypeVar

from device_ingest.dicom.__main__ import open_port
from device_ingest.dicom.listener import Listener
from device_ingest.gateway import Gateway
from device_ingest.hl7v2.__main__ import serve
from kmis.settings import Settings

Found = TypeVar("Found")
BEGIN, END = b"\x0b", b"\x1c\r"


@contextlib.contextmanager
def mllp_listener(settings: Settings) -> Iterator[int]:
    """The MLLP listener in a thread of this process; its port."""
    listening = socket.create_server(("127.0.0.1", 0))
    loop = asyncio.new_event_loop()
    ending = asyncio.Event()
    thread = threading.Thread(target=lambda: loop.run_until_complete(serve(settings, listening, ending)))
    thread.start()
    try:
        yield listening.getsockname()[1]
    finally:
        loop.call_soon_threadsafe(ending.set)
        thread.join(30)
        loop.close()


@contextlib.contextmanager
def dicom_listener(settings: Settings) -> Iterator[int]:
    """The DICOM listener in a thread of this process; its port."""
    listening = open_port("127.0.0.1", 0)
    listener = Listener(Gateway(settings), listening)
    thread = threading.Thread(target=listener.serve)
    thread.start()
    try:
        yield listening.getsockname()[1]
    finally:
        listener.stop()
        thread.join(30)


@contextlib.contextmanager
def process(settings: Settings, module: str, prelude: str = "", **environment: str) -> Iterator[tuple[int, int]]:
    """``python -m module`` on a free port; port and process id. ``prelude`` is run in it first."""
    command = [sys.executable, "-m", module, "--port", "0"]
    if prelude:
        code = f"{prelude}\nimport runpy\nrunpy.run_module({module!r}, run_name='__main__', alter_sys=True)"
        command = [sys.executable, "-c", code, "--port", "0"]
    given = os.environ | {"KMIS_HOME": str(settings.root)} | environment
    running = subprocess.Popen(command, env=given, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        line = running.stdout.readline() if running.stdout else ""
        yield int(line.rsplit(" ", 1)[1]), running.pid
    finally:
        if running.poll() is None:
            running.terminate()
        running.wait(30)
        if running.stdout:
            running.stdout.close()


def wait_for(found: Callable[[], Found | None], timeout_s: float = 20.0) -> Found:
    """What ``found`` gives as soon as it gives something. Raises AssertionError when it never does."""
    deadline = time.monotonic() + timeout_s
    pause = threading.Event()
    while time.monotonic() < deadline:
        value = found()
        if value:
            return value
        pause.wait(0.05)
    raise AssertionError("waited in vain")


class Sender:
    """A laboratory system that sends one message after another over one connection."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        self._rest = b""

    def send(self, message: bytes) -> str:
        """Send a framed message and return the acknowledgement."""
        self.socket.sendall(BEGIN + message + END)
        return self.answer()

    def answer(self) -> str:
        """The next acknowledgement. Raises ConnectionError when the peer hangs up first."""
        while END not in self._rest:
            part = self.socket.recv(65536)
            if not part:
                raise ConnectionError("no acknowledgement")
            self._rest += part
        found, _, self._rest = self._rest.partition(END)
        return found.lstrip(BEGIN).decode("ascii")

    def __enter__(self) -> Sender:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()
