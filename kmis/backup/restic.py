"""The repository of backups, kept by the program restic: encrypted, deduplicated, in a folder or in S3.

Credentials of S3 come from the environment (``AWS_ACCESS_KEY_ID``, ``AWS_SECRET_ACCESS_KEY``); the recovery key is
handed over in a file. Neither stands in an argument, a log line or an error text.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import psutil

from kmis.backup.errors import BackupError, RepositoryMissing

Progress = Callable[[str], None]

# All backups of an installation carry one name, so that they follow each other on whatever machine they are made.
HOST = "kmis"
# Screens go first: the backup takes what is left of the processor.
NICE = 10
INCOMPLETE = 3
# Beside those of days, weeks and months: several made on one day, before each step of a change.
KEEP_LAST = "7"
_CREDENTIALS = re.compile(r"//[^/@\s]*@")
_SECRETS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")


@dataclass(frozen=True, slots=True)
class Saved:
    """What was saved: restic's number of it, files and bytes in all, bytes that the repository grew by."""

    id: str
    files: int
    bytes: int
    added: int


@dataclass(frozen=True, slots=True)
class Kept:
    """One backup in the repository."""

    id: str
    made_at: datetime
    tags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Done:
    code: int
    lines: list[dict[str, Any]]
    errors: list[str]


class Repository:
    """One repository and the key that opens it. Raises BackupError when restic is not installed."""

    def __init__(self, place: str, key_file: Path, cache: Path) -> None:
        self.place = place
        self.key_file = key_file
        self.cache = cache
        program = shutil.which("restic")
        if program is None:
            raise BackupError("the program restic is missing; install it: apt-get install restic")
        self._program = program

    @property
    def name(self) -> str:
        """The place without credentials."""
        return without_credentials(self.place)

    def open(self) -> None:
        """Opens it, without the locks of processes that are gone.

        Raises RepositoryMissing, or BackupError when the key is another one or the place does not answer.
        """
        # First: a lock that was left by one that wrote everything keeps even readers out.
        self._run("unlock")
        self._run("cat", "config")

    def make(self) -> None:
        """A new repository, encrypted with the key."""
        self._run("init", "--repository-version", "2")

    def save(self, home: Path, parts: Sequence[str], tags: Sequence[str], told: Progress | None = None) -> Saved:
        """Saves the named files and folders of ``home``; a file that went meanwhile is left out."""

        def heard(line: dict[str, Any]) -> None:
            if told is not None and line.get("message_type") == "status":
                told(f"{float(line.get('percent_done', 0)):.0%}")

        words = ["backup", "--json", "--host", HOST, "--exclude", "secrets/recovery-key"]
        for tag in tags:
            words += ["--tag", tag]
        done = self._run(*words, *parts, cwd=home, heard=heard, accept=(0, INCOMPLETE))
        summary = next((line for line in done.lines if line.get("message_type") == "summary"), None)
        if summary is None:
            raise BackupError(f"restic did not tell what it saved in {self.name}")
        return Saved(
            str(summary["snapshot_id"]), int(summary["total_files_processed"]), int(summary["total_bytes_processed"]),
            int(summary["data_added"]),
        )  # fmt: skip

    def files(self, snapshot: str) -> dict[str, int]:
        """Every file of a backup with its size in bytes, by its path under home."""
        done = self._run("ls", "--json", snapshot)
        return {
            str(line["path"]).lstrip("/"): int(line.get("size", 0)) for line in done.lines if line.get("type") == "file"
        }

    def kept(self) -> list[Kept]:
        """The backups that are there, the oldest first."""
        done = self._run("snapshots", "--json", "--host", HOST)
        found = [entry for line in done.lines for entry in line.get("list", ())]
        return sorted(
            (
                Kept(str(entry["short_id"]), _moment(str(entry["time"])), tuple(entry.get("tags") or ()))
                for entry in found
            ),
            key=lambda entry: entry.made_at,
        )

    def restore(self, snapshot: str, target: Path) -> None:
        """Writes a backup's files under ``target`` and compares what was written with what was saved."""
        self._run("restore", snapshot, "--target", str(target), "--verify")

    def check(self, read: str) -> None:
        """Reads the repository's structure and the given share of its data (``5%``). Raises BackupError on damage."""
        self._run("check", f"--read-data-subset={read}")

    def forget(self, daily: int, weekly: int, monthly: int) -> int:
        """Removes backups beyond those kept by day, week and month, and their data; tells how many."""
        done = self._run(
            "forget", "--json", "--prune", "--group-by", "host", "--host", HOST, "--keep-last", KEEP_LAST,
            "--keep-daily", str(daily), "--keep-weekly", str(weekly), "--keep-monthly", str(monthly),
        )  # fmt: skip
        groups = [group for line in done.lines for group in line.get("list", ())]
        return sum(len(group.get("remove") or ()) for group in groups)

    def remove(self, snapshot: str) -> None:
        """Takes one backup out of the list; its data goes with the next ``forget``."""
        self._run("forget", snapshot)

    def size(self, snapshot: str) -> int:
        """Bytes of a backup's files, as they are restored."""
        done = self._run("stats", "--json", "--mode", "restore-size", snapshot)
        return sum(int(line["total_size"]) for line in done.lines if "total_size" in line)

    def _run(
        self,
        *words: str,
        cwd: Path | None = None,
        heard: Callable[[dict[str, Any]], None] | None = None,
        accept: Sequence[int] = (0,),
    ) -> _Done:
        self.cache.mkdir(parents=True, exist_ok=True, mode=0o700)
        environment = os.environ | {
            "RESTIC_REPOSITORY": self.place,
            "RESTIC_PASSWORD_FILE": str(self.key_file),
            "RESTIC_CACHE_DIR": str(self.cache),
            "RESTIC_PROGRESS_FPS": "1",
            "GOMAXPROCS": str(max(1, (os.cpu_count() or 2) // 2)),
        }
        environment.pop("RESTIC_PASSWORD", None)
        lines: list[dict[str, Any]] = []
        with tempfile.TemporaryFile("w+") as errors:
            process = subprocess.Popen(
                [self._program, *words], cwd=cwd or "/", env=environment, stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE, stderr=errors, text=True,
            )  # fmt: skip
            with process:
                try:
                    with contextlib.suppress(psutil.Error):
                        psutil.Process(process.pid).nice(NICE)
                    for line in _spoken(process):
                        if heard is not None:
                            heard(line)
                        if line.get("message_type") != "status":
                            lines.append(line)
                    code = process.wait()
                finally:
                    process.terminate()
            errors.seek(0)
            told = errors.read().splitlines()
        if code not in accept:
            raise self._refusal(told)
        return _Done(code, lines, told)

    def _refusal(self, told: Sequence[str]) -> BackupError:
        text = "\n".join(told)
        if "wrong password or no key found" in text:
            return BackupError(f"the recovery key does not open the repository {self.name}; give the right --key-file")
        if "Is there a repository at the following location" in text and _absent(text):
            return RepositoryMissing(f"there is no repository at {self.name}")
        if "already locked" in text:
            return BackupError(f"another process works at the repository {self.name}; try again when it has ended")
        lost = sorted({line.split("/")[1].split(":")[0] for line in told if line.startswith("ignoring error for /")})
        if lost:
            return BackupError(f"the repository {self.name} is damaged: files under {', '.join(lost)} cannot be read")
        fatal = next((line for line in told if line.startswith("Fatal:")), told[-1] if told else "no reason given")
        return BackupError(f"restic at {self.name}: {self._plain(fatal.removeprefix('Fatal:').strip())}")

    def _plain(self, text: str) -> str:
        for name in _SECRETS:
            if os.environ.get(name):
                text = text.replace(os.environ[name], "…")
        return without_credentials(text)


def without_credentials(place: str) -> str:
    """An address without the user and password that may stand before its host."""
    return _CREDENTIALS.sub("//", place)


def _absent(text: str) -> bool:
    return any(sign in text for sign in ("no such file or directory", "does not exist", "key does not exist"))


def _spoken(process: subprocess.Popen[str]) -> Iterator[dict[str, Any]]:
    """Restic's JSON lines; a list is handed on under the key ``list``."""
    for line in process.stdout or ():
        try:
            found = json.loads(line)
        except ValueError:
            continue
        yield found if isinstance(found, dict) else {"list": found}


def _moment(text: str) -> datetime:
    # Nanoseconds are more than datetime reads.
    return datetime.fromisoformat(re.sub(r"(\.\d{6})\d*", r"\1", text).replace("Z", "+00:00"))


__all__ = ["Kept", "Progress", "Repository", "Saved", "without_credentials"]
