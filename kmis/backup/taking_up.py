"""Files of a backup that are younger than its database: what devices had been told is taken up again.

Files are copied after the database's snapshot, so some that arrived in between are there without a row. The listeners
take them up at their next start, as they do after a crash.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
from pathlib import Path

import psycopg

from kmis.settings import Settings


def take_up(settings: Settings, connection: psycopg.Connection) -> int:
    """Puts objects and messages without a row where the listeners look; tells how many.

    Made files without their row in the log of unloads are removed: their number is given out again.
    """
    _remove_exports(settings, connection)
    return _objects(settings, connection) + _messages(settings, connection)


def _remove_exports(settings: Settings, connection: psycopg.Connection) -> None:
    known = {str(row[0]) for row in connection.execute("select id from unload_log").fetchall()}
    for folder in _entries(settings.exports_dir):
        if folder.is_dir() and folder.name.isdigit() and folder.name not in known:
            shutil.rmtree(folder)


def _objects(settings: Settings, connection: psycopg.Connection) -> int:
    known = {str(row[0]) for row in connection.execute("select file_path from imaging_instance").fetchall()}
    incoming = settings.spool_dir / "dicom" / "incoming"
    # A number in front of the name is a process of the former machine.
    waiting = _entries(incoming)
    # Another restore's may wait here, moved from the store: no name is given twice.
    now = f"restored-{secrets.token_hex(4)}"
    for place, path in enumerate(waiting):
        path.rename(incoming / f"{now}-{place}.dcm")
    taken = len(waiting)
    for path in sorted(settings.dicom_dir.glob("*/*.dcm")):
        if str(path.relative_to(settings.root)) not in known:
            incoming.mkdir(parents=True, exist_ok=True, mode=0o750)
            path.rename(incoming / f"{now}-{taken}.dcm")
            taken += 1
    return taken


def _messages(settings: Settings, connection: psycopg.Connection) -> int:
    known = {str(row[0]) for row in connection.execute("select raw_path from device_message").fetchall()}
    taken = 0
    folder = settings.spool_dir / "hl7v2"
    pending = folder / "pending"
    for path in _entries(pending):
        if path.name.startswith("."):
            path.unlink()
    for path in sorted(folder.glob("[0-9]*/[0-9]*/[0-9]*/*")):
        if str(path.relative_to(settings.root)) not in known:
            pending.mkdir(parents=True, exist_ok=True, mode=0o750)
            with contextlib.suppress(FileExistsError):
                os.link(path, pending / path.name)
            taken += 1
    return taken


def _entries(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else []
