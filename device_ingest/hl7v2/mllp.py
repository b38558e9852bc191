"""MLLP (HL7 v2 transport specification, minimal lower layer protocol): frames in, acknowledgements out.

A message stands between VT and FS CR. A connection stays usable after a message that was refused; what stands outside
of frames, or in one that never ends, is handed over as incomplete and the connection is closed.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import mmap
import socket
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from types import TracebackType
from typing import IO, Self, cast

log = logging.getLogger("kmis.mllp")
BEGIN, END, CARRIAGE_RETURN = 0x0B, 0x1C, 0x0D
READ_BYTES = 65_536
# Analysers keep a connection open between samples: this many times the patience within a message.
BETWEEN = 60
WORKERS = 8
# How long a message in work is waited for at the end.
END_S = 10.0


class Framing(Enum):
    """How something arrived."""

    WHOLE = "whole"
    CUT_SHORT = "cut short"
    OUTSIDE = "outside of a frame"


@dataclass(frozen=True, slots=True)
class Limits:
    """``size``: bytes of a message; ``kept``: of a longer one, at most so many; ``idle_s``: silence in a message."""

    size: int
    kept: int
    idle_s: float
    connections: int


class Arrived:
    """What arrived, in memory up to the limit and beyond it in a file without a name."""

    def __init__(self, limits: Limits, folder: Path) -> None:
        self._limits = limits
        # It lives from one read of the socket to another.
        file = tempfile.SpooledTemporaryFile(limits.size, dir=str(folder))  # noqa: SIM115 - closed when handled
        self._file: IO[bytes] = file
        self.size = 0
        self.framing = Framing.WHOLE

    def add(self, part: bytes) -> None:
        """Take more bytes; those beyond the limit of what is kept are counted only."""
        room = self._limits.kept - self.size
        if room > 0:
            self._file.write(part[:room])
        self.size += len(part)

    @property
    def too_large(self) -> bool:
        return self.size > self._limits.size

    @contextlib.contextmanager
    def content(self) -> Iterator[bytes | mmap.mmap]:
        """The bytes that are kept."""
        self._file.flush()
        self._file.seek(0)
        if not self.too_large:
            yield self._file.read()
            return
        with mmap.mmap(self._file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
            yield mapped

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()


class Framer:
    """Cuts a stream of bytes into what arrived."""

    def __init__(self, limits: Limits, folder: Path) -> None:
        self._limits = limits
        self._folder = folder
        self._current: Arrived | None = None
        self._inside = False

    @property
    def open(self) -> bool:
        """Whether something has begun that has not ended."""
        return self._current is not None

    def feed(self, data: bytes) -> Iterator[Arrived]:
        """Take bytes; gives what they complete. A new beginning ends what had no end."""
        while data:
            if self._inside:
                stop = min((place for place in (data.find(END), data.find(BEGIN)) if place >= 0), default=-1)
                self._add(data if stop < 0 else data[:stop])
                if stop < 0:
                    return
                began_anew = data[stop] == BEGIN
                yield self._take(Framing.CUT_SHORT if began_anew else Framing.WHOLE)
                self._inside, data = began_anew, data[stop + 1 :]
            else:
                start = data.find(BEGIN)
                outside = (data if start < 0 else data[:start]).strip(b"\r\n\t \x00")
                if outside:
                    self._add(outside)
                if start < 0:
                    return
                if self._current is not None:
                    yield self._take(Framing.OUTSIDE)
                self._inside, data = True, data[start + 1 :]

    def rest(self) -> Arrived | None:
        """What had begun when the stream ended."""
        if self._current is None:
            return None
        return self._take(Framing.CUT_SHORT if self._inside else Framing.OUTSIDE)

    def _add(self, part: bytes) -> None:
        if self._current is None:
            self._current = Arrived(self._limits, self._folder)
        self._current.add(part)

    def _take(self, framing: Framing) -> Arrived:
        found = self._current or Arrived(self._limits, self._folder)
        found.framing = framing
        self._current = None
        return found


class Listener:
    """Serves connections; ``handle`` gives the answer to what arrived, from a thread."""

    def __init__(self, limits: Limits, folder: Path, handle: Callable[[Arrived], bytes]) -> None:
        self._limits = limits
        self._folder = folder
        self._handle = handle
        self._open: set[asyncio.Task[object]] = set()
        self._silent: set[asyncio.Task[object]] = set()
        self._ended = False
        self._workers = ThreadPoolExecutor(WORKERS, thread_name_prefix="mllp")

    async def serve(self, listening: socket.socket, ending: asyncio.Event) -> None:
        """Accept connections until ``ending`` is set; a message that is being recorded is still answered."""
        server = await asyncio.start_server(self._connected, sock=listening, backlog=128)
        async with server:
            await ending.wait()
            self._ended = True
            server.close()
            for task in tuple(self._silent):
                task.cancel()
            if self._open:
                await asyncio.wait(self._open, timeout=END_S)
        self._workers.shutdown(wait=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = cast("asyncio.Task[object]", asyncio.current_task())
        if len(self._open) >= self._limits.connections:
            log.warning("a connection was refused: %d are open", len(self._open))
            writer.close()
            return
        self._open.add(task)
        connection: socket.socket = writer.get_extra_info("socket")
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        framer = Framer(self._limits, self._folder)
        try:
            await self._converse(framer, reader, writer)
        except (OSError, TimeoutError):
            log.info("a connection ended")
        except asyncio.CancelledError:
            log.info("a connection was ended with the listener")
        finally:
            rest = framer.rest()
            with contextlib.suppress(OSError):
                if rest is not None:
                    await self._answer(rest, writer)
                writer.close()
                await writer.wait_closed()
            self._open.discard(task)

    async def _converse(self, framer: Framer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = cast("asyncio.Task[object]", asyncio.current_task())
        while not self._ended:
            patience = self._limits.idle_s * (1 if framer.open else BETWEEN)
            self._silent.add(task)
            try:
                data = await asyncio.wait_for(reader.read(READ_BYTES), patience)
            finally:
                self._silent.discard(task)
            if not data:
                return
            for arrived in framer.feed(data):
                await self._answer(arrived, writer)

    async def _answer(self, arrived: Arrived, writer: asyncio.StreamWriter) -> None:
        loop = asyncio.get_running_loop()
        answer = await loop.run_in_executor(self._workers, self._handled, arrived)
        writer.write(bytes((BEGIN,)) + answer + bytes((END, CARRIAGE_RETURN)))
        await writer.drain()

    def _handled(self, arrived: Arrived) -> bytes:
        with arrived:
            return self._handle(arrived)
