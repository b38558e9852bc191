"""Backups at night and their tested restore each week, where a repository is set.

Each runs as the command that people run too; what came of it stands in ``backup_run``, which the status page shows.
"""

from __future__ import annotations

import subprocess
import sys

import dagster as dg

from kmis.settings import get_settings
from kmis.supervisor import environment
from pipelines.defs.lake.schedules import schedule

# After upkeep (2:00) and verification (2:30); the test reads what Saturday's night has left.
NIGHTLY = "30 3 * * *"
WEEKLY = "0 5 * * 0"


@dg.op(description="Saves database, lake, images, spool and keys as one point, and removes old backups.")
def save() -> None:
    run_command("backup", "--unattended")


@dg.op(description="Restores the newest backup beside the installation, refreshes and reconciles it.")
def prove() -> None:
    run_command("backup", "test")


@dg.job(description="The nightly backup.")
def backup() -> None:
    save()


@dg.job(description="The weekly tested restore.")
def backup_test() -> None:
    prove()


def run_command(*words: str) -> None:
    """Runs a command of ``kmis``. Raises Failure with its last line."""
    done = subprocess.run(
        [sys.executable, "-m", "kmis", *words], env=environment(get_settings()), stdin=subprocess.DEVNULL,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        lines = (done.stderr or done.stdout).strip().splitlines()
        raise dg.Failure(f"kmis {' '.join(words)}: {lines[-1] if lines else 'no reason given'}")


def build_backups() -> tuple[list[dg.JobDefinition], list[dg.ScheduleDefinition]]:
    """The jobs and their schedules; none without a repository."""
    if get_settings().backup_repository is None:
        return [], []
    return [backup, backup_test], [schedule(backup, NIGHTLY), schedule(backup_test, WEEKLY)]
