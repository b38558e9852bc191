"""What the installation takes on its disk, part by part, and how much of its budget that is.

Rules: docs/adr/0020-storage-budget.md.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from kmis.settings import Settings

Level = Literal["normal", "warning", "critical"]
DISK_SHARE = 0.8
WARNING, CRITICAL = 0.80, 0.95
PARTS = ("postgres", "lake", "serve", "exports", "dicom", "spool", "dagster", "quality", "log", "tmp")
OTHER = "other"


@dataclass(frozen=True, slots=True)
class Budget:
    """Bytes used, bytes allowed, and bytes free on the disk."""

    used: int
    limit: int
    free: int

    @property
    def share(self) -> float:
        """Used part of what is allowed; what the disk cannot give is not allowed either."""
        return self.used / max(1, min(self.limit, self.used + self.free))

    @property
    def level(self) -> Level:
        if self.share >= CRITICAL:
            return "critical"
        return "warning" if self.share >= WARNING else "normal"


def budget_of(settings: Settings, parts: Mapping[str, int]) -> Budget:
    """The budget after a measurement of the parts."""
    disk = shutil.disk_usage(settings.root)
    wanted = settings.storage_budget_gb
    limit = round(wanted * 1e9) if wanted is not None else round(disk.total * DISK_SHARE)
    return Budget(sum(parts.values()), limit, disk.free)


def measure(settings: Settings) -> dict[str, int]:
    """Bytes on disk of every part under the home, all of its files asked for their size.

    A part without files is 0. The database of an external server is not on this disk and not counted.
    """
    root = settings.root
    sizes = {name: folder_bytes(root / name) for name in PARTS}
    with os.scandir(root) as entries:
        sizes[OTHER] = sum(
            folder_bytes(Path(entry.path)) if entry.is_dir(follow_symlinks=False) else _blocks(entry)
            for entry in entries
            if entry.name not in PARTS
        )
    return sizes


def folder_bytes(folder: Path) -> int:
    """Bytes that the folder's files take on disk; files that vanish meanwhile are left out."""
    total = 0
    waiting = [str(folder)]
    while waiting:
        try:
            with os.scandir(waiting.pop()) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
                    else:
                        total += _blocks(entry)
        except OSError:
            continue
    return total


def _blocks(entry: os.DirEntry[str]) -> int:
    try:
        return entry.stat(follow_symlinks=False).st_blocks * 512
    except OSError:
        return 0
