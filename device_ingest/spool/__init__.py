"""What devices sent, as it came, on disk before anybody is told that it arrived.

A file first stands in ``pending``; it leaves when the store has recorded what became of it. What a crash, or a store
that did not answer, left in ``pending`` is taken up again at the next start. The name of a kept file is its digest, so
the same bytes are one file.
"""

from __future__ import annotations

import contextlib
import hashlib
import mmap
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

Bytes = bytes | bytearray | memoryview | mmap.mmap


@dataclass(frozen=True, slots=True)
class Kept:
    """A kept file: its path, the same relative to the installation's home, its size in bytes and its SHA-256."""

    path: Path
    relative: str
    size: int
    sha256: str


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def make_folder(folder: Path) -> None:
    """Make a folder and what leads to it, each name durable in its parent."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    folder.mkdir(mode=0o750, exist_ok=True)
    sync_folder(folder.parent)


def sync_file(path: Path) -> None:
    """Wait until the disk has a file's content."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_file(path: Path, parts: Sequence[Bytes], *, durable: bool = True) -> int:
    """Write a new file, and wait until the disk has it; returns its size. Raises FileExistsError."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o640)
    try:
        size = 0
        for part in parts:
            with memoryview(part) as view:
                place = 0
                while place < len(view):
                    with view[place:] as rest:
                        place += os.write(handle, rest)
                size += place
        if durable:
            os.fsync(handle)
        return size
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    finally:
        os.close(handle)


class Spool:
    """The raw messages of one protocol under ``spool/<name>/<yyyy>/<mm>/<dd>/<sha256><suffix>``."""

    def __init__(self, home: Path, name: str, suffix: str) -> None:
        self.home = home
        self.folder = home / "spool" / name
        self.pending = self.folder / "pending"
        self.suffix = suffix
        make_folder(self.pending)

    def keep(self, parts: Sequence[Bytes], day: date, suffix: str | None = None) -> Kept:
        """Keep bytes, durable when this returns, and marked as pending until ``done``.

        A ``suffix`` of its own tells a later start what the bytes do not.
        """
        digest = hashlib.sha256()
        for part in parts:
            digest.update(part)
        name = f"{digest.hexdigest()}{suffix or self.suffix}"
        folder = self.folder / f"{day:%Y/%m/%d}"
        make_folder(folder)
        path = folder / name
        if not path.exists():
            fresh = self.pending / f".{os.getpid()}-{os.urandom(6).hex()}"
            write_file(fresh, parts)
            try:
                with contextlib.suppress(FileExistsError):
                    os.link(fresh, path)
            finally:
                fresh.unlink()
        with contextlib.suppress(FileExistsError):
            os.link(path, self.pending / name)
        sync_folder(folder)
        return self._kept(path)

    def done(self, kept: Kept) -> None:
        """The store knows what became of it."""
        (self.pending / kept.path.name).unlink(missing_ok=True)

    def waiting(self) -> Iterator[Kept]:
        """What is still pending, the oldest first; remains of a write that a crash cut short are removed."""
        found = []
        for path in self.pending.iterdir():
            with contextlib.suppress(FileNotFoundError):  # another thread was done with it meanwhile
                if path.name.startswith("."):
                    self._remove_torn(path)
                else:
                    found.append((path.stat().st_mtime, path))
        for changed, path in sorted(found):
            place = self._place_of(path, date.fromtimestamp(changed))
            if place is not None:
                yield self._kept(place)

    def _remove_torn(self, path: Path) -> None:
        owner = path.name[1:].split("-")[0]
        if not owner.isdigit() or not Path(f"/proc/{owner}").exists():
            path.unlink(missing_ok=True)

    def _place_of(self, pending: Path, day: date) -> Path | None:
        """The lasting place of a pending file, made anew where a crash left only the pending name."""
        number = pending.stat().st_ino
        for folder in sorted(self.folder.glob("[0-9]*/[0-9]*/[0-9]*"), reverse=True):
            place = folder / pending.name
            if place.exists() and place.stat().st_ino == number:
                return place
        folder = self.folder / f"{day:%Y/%m/%d}"
        make_folder(folder)
        with contextlib.suppress(FileExistsError):
            os.link(pending, folder / pending.name)
        sync_folder(folder)
        return folder / pending.name

    def _kept(self, path: Path) -> Kept:
        return Kept(path, str(path.relative_to(self.home)), path.stat().st_size, path.stem)
