"""A backup of a store that works on, and its restore on an empty home: same moment, same figures, and it goes on."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from kmis.backup import products
from kmis.backup.errors import BackupError
from kmis.backup.key import key_file, make_key, repository
from kmis.backup.making import make_backup
from kmis.backup.restoring import Wanted, restore
from kmis.settings import Settings
from tests.backup.stage import PARTS, Acts, act, quiet, running, schema_of, settings_of, writer


@pytest.mark.timeout(900)
def test_a_restore_is_the_moment_of_its_backup_and_goes_on(home: Path, folder: Path) -> None:
    source = settings_of(home, folder / "repository")
    make_key(source)
    _deliver_without_a_row(source)
    with running(source), writer(source):
        before = act(source)
        with Acts(source) as acts:
            made = make_backup(source, quiet)
        target = settings_of(folder / "restored")
        key = folder / "key"
        key.write_text(key_file(source).read_text())
        _refusals(source, target, key, folder)
        restored = restore(target, Wanted(made.repository, key), PARTS, quiet)
        assert restored.backup.id == made.saved.id
        assert restored.products >= 15 and restored.tables > 80 and restored.files > 100
        assert not restored.lost
        _holds_a_prefix(target, acts.noted)
        assert made.snapshot_id is not None
        today = datetime.now(UTC).astimezone(source.zone).date()
        there = products.figures_at(source, made.snapshot_id, today)
        assert products.figures_at(target, made.snapshot_id, today) == there
        assert there["figures"]["DASH-01"]["rows"] > 100
        assert schema_of(source, folder) == schema_of(target, folder)
        assert restored.taken_up == 2
        taken_up = list((target.spool_dir / "dicom" / "incoming").glob("restored-*-0.dcm"))
        assert [path.read_bytes() for path in taken_up] == [b"object"]
        assert len(list((target.spool_dir / "hl7v2" / "pending").iterdir())) == 1
        assert not list(target.serve_dir.glob("*.json"))
        _goes_on(target, before)
        _is_noted(source, target, made.saved.id)


def _deliver_without_a_row(settings: Settings) -> None:
    """Files that arrived after the moment of the backup, as the copy may meet them."""
    for place, content in (
        (settings.dicom_dir / "1.2.3" / "1.2.3.4.dcm", b"object"),
        (settings.spool_dir / "hl7v2" / "2026" / "11" / "29" / f"{'0' * 64}.hl7", b"message"),
    ):
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)


def _refusals(source: Settings, target: Settings, key: Path, folder: Path) -> None:
    wrong = folder / "wrong"
    wrong.write_text("another key")
    place = str(folder / "repository")
    with pytest.raises(BackupError, match="the recovery key does not open the repository"):
        restore(target, Wanted(place, wrong), PARTS, quiet)
    with pytest.raises(BackupError, match="recovery key is missing"):
        restore(target, Wanted(place), PARTS, quiet)
    with pytest.raises(BackupError, match="there is no repository at"):
        restore(target, Wanted(str(folder / "nowhere"), key), PARTS, quiet)
    with pytest.raises(BackupError, match="holds no backup abc"):
        restore(target, Wanted(place, key, "abc"), PARTS, quiet)
    with pytest.raises(BackupError, match="is not empty"):
        restore(source, Wanted(place, key), PARTS, quiet)
    assert not target.root.exists() or not list(target.root.iterdir())


def _holds_a_prefix(target: Settings, noted: list[int]) -> None:
    """Every act up to one moment, and none after it."""
    with psycopg.connect(target.dsn("kmis_owner")) as connection:
        rows = connection.execute("select id from patient where id = any(%s) order by id", (noted,)).fetchall()
    kept = [row[0] for row in rows]
    assert kept == noted[: len(kept)]
    assert len(kept) < len(noted), "acts went on while the backup was made"


def _goes_on(target: Settings, before: int) -> None:
    with psycopg.connect(target.dsn("kmis_owner")) as connection:
        epochs = connection.execute("select reason from feed_epoch order by id").fetchall()
        highest = connection.execute("select max(xid::text::bigint) from change_feed").fetchone()
        pins = connection.execute("select count(*) from snapshot_pin where reason = 'backup'").fetchone()
    assert [row[0] for row in epochs] == ["first start", "restore"]
    assert highest is not None and highest[0] >= before
    assert act(target) > highest[0]
    assert pins == (0,)


def _is_noted(source: Settings, target: Settings, saved_as: str) -> None:
    def runs(settings: Settings) -> list[tuple[str, str, str | None]]:
        with psycopg.connect(settings.dsn("kmis_app")) as connection:
            rows = connection.execute("select kind, state, restic_snapshot from backup_run order by id").fetchall()
        return [(row[0], row[1], row[2]) for row in rows]

    assert runs(source) == [("backup", "done", saved_as)]
    assert runs(target) == [("backup", "done", saved_as), ("restore", "done", saved_as)]


def test_a_missing_program_is_named_with_its_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    settings = settings_of(tmp_path / "home", tmp_path / "repository")
    make_key(settings)
    with pytest.raises(BackupError, match="apt-get install restic"):
        repository(settings)


def test_a_backup_needs_a_place_outside_of_what_it_saves(tmp_path: Path) -> None:
    with pytest.raises(BackupError, match="KMIS_BACKUP_REPOSITORY"):
        make_backup(settings_of(tmp_path / "home"), quiet)
    with pytest.raises(BackupError, match="inside KMIS_HOME"):
        make_backup(settings_of(tmp_path / "home", tmp_path / "home" / "backups"), quiet)
