"""The long way: the commands against S3, a tested restore, damage, an upgrade from the release before, backing out."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import httpx
import psycopg
import pytest
from alembic.config import Config

from kmis.backup.errors import BackupError, PointBroken
from kmis.backup.key import key_file, make_key, repository
from kmis.backup.making import make_backup
from kmis.backup.restoring import Wanted, restore
from kmis.backup.upgrading import Steps, UpgradeFailed, copy_name, upgrade
from kmis.postgres import EmbeddedServer, admin_connection, free_port
from kmis.settings import Settings
from operational import migrate as migrations
from tests.backup.stage import PARTS, ROOT, act, fingerprint, kmis, own_environment, quiet, running, settings_of
from tests.device_ingest.running import wait_for

pytestmark = [pytest.mark.long, pytest.mark.timeout(1200)]
START_TIMEOUT_S = 120


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A server that speaks S3, in a process of its own; the address of a bucket there."""
    port = free_port()
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "an-access-key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "a-secret-of-s3")
    server = subprocess.Popen(
        [str(Path(sys.executable).parent / "moto_server"), "-H", "127.0.0.1", "-p", str(port)],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        transport = httpx.HTTPTransport(retries=10)
        with httpx.Client(transport=transport, timeout=START_TIMEOUT_S) as client:
            client.put(f"http://127.0.0.1:{port}/kmis").raise_for_status()
        yield f"s3:http://127.0.0.1:{port}/kmis/backups"
    finally:
        server.terminate()
        server.wait()


def test_the_commands_keep_an_installation_in_s3(home: Path, folder: Path, s3: str) -> None:
    made = kmis(home, "backup", KMIS_BACKUP_REPOSITORY=s3)
    assert made.returncode == 0, made.stderr
    shown = kmis(home, "backup", "key").stdout
    key = folder / "key"
    key.write_text(shown.split("recovery key: ")[1].split()[0])
    assert key.read_text() in made.stdout
    assert "published-" in kmis(home, "backup", "list", KMIS_BACKUP_REPOSITORY=s3).stdout
    assert "new" in kmis(home, "backup", KMIS_BACKUP_REPOSITORY=s3).stdout
    assert "recovery key" not in kmis(home, "backup", "list", KMIS_BACKUP_REPOSITORY=s3).stdout

    other = folder / "other"
    restored = kmis(other, "restore", "--from", s3, "--key-file", str(key))
    assert restored.returncode == 0, restored.stderr
    assert "products agree" in restored.stdout
    again = kmis(other, "restore", "--from", s3, "--key-file", str(key))
    assert again.returncode == 2 and "is not empty" in again.stderr
    with running(settings_of(other)) as settings:
        assert list(settings.serve_dir.glob("*.json")), "what is published is served again"
        act(settings)
        refreshed = kmis(other, "refresh")
        assert refreshed.returncode == 0, refreshed.stderr
        assert refreshed.stdout.splitlines()[-1].startswith("published: 1 feed entries")
        reconciled = kmis(other, "reconcile")
        assert reconciled.returncode == 0, reconciled.stdout
    texts = "".join(done.stdout + done.stderr for done in (made, restored, again, refreshed))
    assert "a-secret-of-s3" not in texts and "an-access-key" not in texts


def test_a_restore_is_tested_and_noted(home: Path, folder: Path) -> None:
    place = str(folder / "repository")
    with running(settings_of(home)) as settings:
        assert kmis(home, "backup", KMIS_BACKUP_REPOSITORY=place).returncode == 0
        tested = kmis(home, "backup", "test", KMIS_BACKUP_REPOSITORY=place)
        assert tested.returncode == 0, tested.stderr
        assert "restored and reconciled" in tested.stdout
        assert not (settings.root / "tmp" / "restore-test").exists()
        _damage(folder / "repository")
        failed = kmis(home, "backup", "test", KMIS_BACKUP_REPOSITORY=place)
        assert failed.returncode == 2 and "restic at" in failed.stderr
        with psycopg.connect(settings.dsn("kmis_app")) as connection:
            runs = connection.execute("select kind, state, error is null from backup_run order by id").fetchall()
    assert runs == [("backup", "done", True), ("restore_test", "done", True), ("restore_test", "failed", False)]


def test_damage_is_told_and_leaves_the_home_as_it_was(home: Path, folder: Path) -> None:
    source = settings_of(home, folder / "repository")
    image = next(source.dicom_dir.rglob("*.dcm"))
    make_key(source)
    with running(source):
        whole = make_backup(source, quiet)
        image.unlink()
        with pytest.raises(PointBroken, match="1 files under dicom that the database names could not be saved"):
            make_backup(source, quiet)
        with psycopg.connect(source.dsn("kmis_app")) as connection:
            last = connection.execute("select state, error from backup_run order by id desc limit 1").fetchone()
    assert last is not None and last[0] == "failed" and image.name not in last[1]
    target = settings_of(folder / "restored")
    key = folder / "key"
    key.write_text(key_file(source).read_text())
    wanted = Wanted(str(folder / "repository"), key)
    with pytest.raises(PointBroken, match="1 files under dicom that the restored database names are missing"):
        restore(target, wanted, PARTS, quiet)
    assert not target.root.exists()
    before = _names(source)
    with running(source):
        rows = fingerprint(source)
    with pytest.raises(PointBroken):
        restore(source, Wanted(wanted.place, key, replace=True), PARTS, quiet)
    assert _names(source) == before
    with running(source):
        assert fingerprint(source) == rows
    done = restore(source, Wanted(wanted.place, key, whole.saved.id, replace=True), PARTS, quiet)
    assert image.exists() and done.aside is not None and (Path(done.aside) / "postgres").exists()
    _damage(folder / "repository")
    with pytest.raises(BackupError, match=r"damaged|restic at"):
        restore(target, wanted, PARTS, quiet)
    assert not target.root.exists()


def _names(settings: Settings) -> list[str]:
    return sorted(path.name for path in settings.root.iterdir() if path.name != "tmp")


def _damage(repository: Path) -> None:
    """Another byte in the middle of every data file, as a bad disk makes it."""
    for file in (repository / "data").rglob("*"):
        if file.is_file():
            content = bytearray(file.read_bytes())
            content[len(content) // 2] ^= 0xFF
            file.chmod(0o600)
            file.write_bytes(content)


def test_the_store_of_the_commit_before_upgrades_with_its_data(folder: Path) -> None:
    tree = folder / "before"
    packed = subprocess.run(["git", "archive", "HEAD~1"], cwd=ROOT, capture_output=True, check=True).stdout
    with tarfile.open(fileobj=BytesIO(packed)) as archive:
        archive.extractall(tree, filter="data")
    home = folder / "home"
    loaded = subprocess.run(
        [sys.executable, "-m", "kmis", "demo", "--exit", "--population", "300", "--years", "1"], cwd=tree,
        env=own_environment(home, PYTHONPATH=str(tree)), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert loaded.returncode == 0, loaded.stderr
    settings = settings_of(home, folder / "repository")
    with running(settings):
        people, last = _people(settings)
    upgraded = kmis(home, "upgrade", KMIS_BACKUP_REPOSITORY=str(folder / "repository"))
    assert upgraded.returncode == 0, upgraded.stderr
    with running(settings):
        assert _people(settings) == (people, last)
        with admin_connection(settings, settings.database) as connection:
            runs = connection.execute("select kind, state from backup_run order by kind").fetchall()
            names = [row[0] for row in connection.execute("select datname from pg_database").fetchall()]
        assert runs == [("backup", "done"), ("upgrade", "done")]
        assert copy_name(settings) not in names


def _people(settings: Settings) -> tuple[int, int]:
    with admin_connection(settings, settings.database) as connection:
        row = connection.execute("select count(*), max(id) from patient").fetchone()
    assert row is not None
    return int(row[0]), int(row[1])


BAD = '''"""A migration that does half of its work in one transaction and fails in the next."""
from alembic import op

revision = "{revision}"
down_revision = "{before}"


def upgrade() -> None:
    op.execute("{statement}")
'''


def test_an_upgrade_that_fails_backs_out(home: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = settings_of(home, folder / "repository")
    with running(settings):
        before = fingerprint(settings)
    monkeypatch.setattr(migrations, "alembic_config", lambda of: _with_bad_migrations(of, folder / "migrations"))
    steps = Steps(migrations.migrate, _unused, _unused, _unused)
    with pytest.raises(UpgradeFailed, match=r"failed in step migrate .* it was backed out"):
        upgrade(settings, steps, quiet, backup=False)
    _is_as_before(settings, before)
    monkeypatch.undo()
    make_key(settings)

    def spoils(of: Settings) -> None:
        act(of)
        (of.serve_dir / "999999.json").write_text("{}")

    def refuses(_: Settings) -> None:
        raise BackupError("a fact differs")

    with pytest.raises(UpgradeFailed, match=r"failed in step reconcile \(a fact differs\)"):
        upgrade(settings, Steps(migrations.migrate, spoils, refuses, _unused), quiet)
    assert not (settings.serve_dir / "999999.json").exists()
    _is_as_before(settings, before, besides=("public.backup_run", "public.snapshot_pin"))
    with running(settings):
        reconciled = kmis(home, "reconcile")
    assert reconciled.returncode == 0, reconciled.stdout


def _is_as_before(settings: Settings, before: dict[str, str], besides: tuple[str, ...] = ()) -> None:
    with running(settings):
        after = fingerprint(settings)
    assert {name for name in before if before[name] != after.get(name)} <= set(besides)
    assert before.keys() == after.keys()


def _with_bad_migrations(settings: Settings, place: Path) -> Config:
    if not place.exists():
        shutil.copytree(ROOT / "operational" / "migrations", place, ignore=shutil.ignore_patterns("__pycache__"))
        first = BAD.format(
            revision="bad_first", before=_newest_revision(place), statement="alter table patient add column spoilt text"
        )
        second = BAD.format(revision="bad_second", before="bad_first", statement="alter table nothing add column x int")
        (place / "versions" / "2099-01-01_bad_first.py").write_text(first)
        (place / "versions" / "2099-01-02_bad_second.py").write_text(second)
    config = Config()
    config.set_main_option("script_location", str(place))
    config.attributes["settings"] = settings
    return config


def _newest_revision(place: Path) -> str:
    from alembic.script import ScriptDirectory

    head = ScriptDirectory(str(place)).get_current_head()
    assert head is not None
    return head


def _unused(_: Settings) -> None:
    raise AssertionError("an upgrade that failed before does not come here")


KILLED = """
import importlib, os, signal
from kmis.cli.main import main

def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)

setattr(importlib.import_module("{module}"), "{function}", die)
main()
"""


def _killed(home: Path, module: str, function: str, *words: str, **more: str) -> None:
    """Runs a command that is killed when it comes to the function."""
    done = subprocess.run(
        [sys.executable, "-c", KILLED.format(module=module, function=function), *words],
        env=own_environment(home, **more), stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == -signal.SIGKILL, done.stdout + done.stderr


def test_after_an_upgrade_that_was_killed_nothing_starts_until_it_is_backed_out(home: Path) -> None:
    settings = settings_of(home)
    with running(settings):
        before = fingerprint(settings)
    _killed(home, "kmis.cli.backup", "prepare", "upgrade", "--without-backup")
    for command in (["up"], ["demo", "--exit"], ["backup"]):
        refused = kmis(home, *command, KMIS_BACKUP_REPOSITORY=str(home.parent / "repository"))
        assert refused.returncode == 2 and "this installation has begun and not ended" in refused.stderr, command
    with running(settings):
        act(settings)
    refused = kmis(home, "upgrade", "--without-backup")
    assert refused.returncode == 2 and "--back-out" in refused.stderr
    undone = kmis(home, "upgrade", "--back-out")
    assert undone.returncode == 0, undone.stderr
    _is_as_before(settings, before)
    aside = next(word for word in undone.stdout.split() if word.startswith("kmis_backed_out_")).rstrip(";")
    with running(settings), admin_connection(settings, aside) as connection:
        assert connection.execute("select count(*) from change_feed where reason is null").fetchone() != (0,)
    assert kmis(home, "refresh").returncode == 0
    assert not EmbeddedServer(settings).running()


def test_after_a_restore_that_was_killed_nothing_starts_until_it_is_made_again(home: Path, folder: Path) -> None:
    source, target = settings_of(home, folder / "repository"), folder / "restored"
    make_key(source)
    with running(source):
        make_backup(source, quiet)
    words = ("restore", "--from", str(folder / "repository"), "--key-file", str(key_file(source)))
    _killed(target, "kmis.backup.restoring", "_compare", *words)
    refused = kmis(target, "up")
    assert refused.returncode == 2 and "this installation has begun and not ended" in refused.stderr
    restored = kmis(target, *words)
    assert restored.returncode == 0, restored.stderr
    assert not list(target.glob(".restoring-*")) and not (target / "unfinished.json").exists()
    assert kmis(target, "refresh").returncode == 0


def test_a_repository_that_is_gone_is_not_begun_anew_unasked(home: Path, folder: Path) -> None:
    place = folder / "disk"
    settings = settings_of(home, place)
    with running(settings):
        silent = kmis(home, "backup", "--unattended", KMIS_BACKUP_REPOSITORY=str(place))
        assert silent.returncode == 2 and "by hand makes and shows one" in silent.stderr
        assert not key_file(settings).exists() and not place.exists()
        assert "recovery key: " in kmis(home, "backup", KMIS_BACKUP_REPOSITORY=str(place)).stdout
        place.rename(folder / "unmounted")
        for words in (["backup"], ["backup", "--unattended"]):
            refused = kmis(home, *words, KMIS_BACKUP_REPOSITORY=str(place))
            assert refused.returncode == 2 and "there is no repository at" in refused.stderr, refused.stderr
        assert not place.exists()
        with psycopg.connect(settings.dsn("kmis_app")) as connection:
            runs = connection.execute("select state, error from backup_run order by id").fetchall()
        assert [state for state, _ in runs] == ["failed", "done", "failed", "failed"]
        assert "is the disk mounted?" in runs[2][1]
        begun = kmis(home, "backup", "--new-repository", KMIS_BACKUP_REPOSITORY=str(place))
        assert begun.returncode == 0, begun.stderr


def test_the_lock_of_a_process_that_is_gone_holds_no_backup_up(home: Path, folder: Path) -> None:
    """Restic killed while it prunes leaves an exclusive lock, which keeps even readers out."""
    settings = settings_of(home, folder / "repository")
    make_key(settings)
    with running(settings):
        make_backup(settings, quiet)
        store = repository(settings)
        environment = os.environ | {"RESTIC_REPOSITORY": store.place, "RESTIC_PASSWORD_FILE": str(store.key_file)}
        pruning = subprocess.Popen(
            ["restic", "check", "--read-data"], env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        locks = folder / "repository" / "locks"
        wait_for(lambda: any(locks.iterdir()) or None)
        pruning.kill()
        pruning.wait()
        assert any(locks.iterdir()), "the process was killed before it had locked"
        make_backup(settings, quiet)
        assert not any(locks.iterdir())
