"""The night's backup and the week's tested restore, where a repository is set."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from kmis.settings import get_settings
from pipelines.defs.backup.schedules import build_backups, run_command


@pytest.fixture(autouse=True)
def own_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Dagster reads the installation from the environment."""
    monkeypatch.setenv("KMIS_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("KMIS_BACKUP_REPOSITORY", raising=False)
    get_settings.cache_clear()
    yield
    get_settings.cache_clear()


def test_backups_are_scheduled_where_a_repository_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    assert build_backups() == ([], [])
    monkeypatch.setenv("KMIS_BACKUP_REPOSITORY", "/elsewhere")
    get_settings.cache_clear()
    jobs, schedules = build_backups()
    assert {job.name for job in jobs} == {"backup", "backup_test"}
    assert {(each.job_name, each.cron_schedule) for each in schedules} == {
        ("backup", "30 3 * * *"), ("backup_test", "0 5 * * 0"),
    }  # fmt: skip
    assert {each.execution_timezone for each in schedules} == {"Asia/Oral"}
    assert all(each.default_status is dg.DefaultScheduleStatus.RUNNING for each in schedules)


def test_a_run_that_fails_says_why() -> None:
    with pytest.raises(dg.Failure, match="KMIS_BACKUP_REPOSITORY"):
        run_command("backup", "list")
