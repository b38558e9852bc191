"""The serving folder: files of single tables, and for each published snapshot the list of those that it is made of.

A table that a pass has not changed keeps its file, which many snapshots name. A file is never changed once a list names
it, so that a reader may hold it open. None of this is in a backup: it is made again out of the lake.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path

# What a table is called in its file.
TABLE = "data"


def list_of(folder: Path, snapshot: int) -> Path:
    """The file that names the tables' files of a snapshot."""
    return folder / f"{int(snapshot)}.json"


def file_of(folder: Path, table: str, snapshot: int) -> Path:
    """The file of a table that the snapshot has changed."""
    return folder / f"{table}.{int(snapshot)}.duckdb"


def read(folder: Path, snapshot: int) -> dict[str, Path] | None:
    """The file of each table. None: the snapshot has no list, or a file that it names is gone."""
    try:
        names: dict[str, str] = json.loads(list_of(folder, snapshot).read_text())
    except FileNotFoundError:
        return None
    files = {table: folder / name for table, name in names.items()}
    return files if all(file.exists() for file in files.values()) else None


def write(folder: Path, snapshot: int, files: Mapping[str, Path]) -> Path:
    """Names the files of a snapshot; they must be complete and on disk."""
    target = list_of(folder, snapshot)
    draft = target.with_suffix(".draft")
    with draft.open("w") as content:
        json.dump({table: file.name for table, file in files.items()}, content)
        content.flush()
        os.fsync(content.fileno())
    draft.chmod(0o600)
    draft.replace(target)
    return target


def snapshots(folder: Path) -> list[int]:
    """The snapshots that have a list, in their order."""
    return sorted(int(path.stem) for path in folder.glob("*.json") if path.stem.isdigit())


def remove(folder: Path, gone: Iterable[int]) -> list[str]:
    """Removes the lists of the snapshots, then every table's file that no list names; the names of the lists.

    A list goes before its files, so that one that is there has them.
    """
    removed = []
    for snapshot in gone:
        list_of(folder, snapshot).unlink(missing_ok=True)
        removed.append(list_of(folder, snapshot).name)
    named: set[str] = set()
    for snapshot in snapshots(folder):
        named.update(json.loads(list_of(folder, snapshot).read_text()).values())
    for file in folder.glob("*.duckdb"):
        if file.name not in named:
            file.unlink(missing_ok=True)
    return removed
