"""The recovery key: it opens the repository of backups. Made once; kept here and, by people, elsewhere."""

from __future__ import annotations

from pathlib import Path

from kmis.backup.errors import BackupError
from kmis.backup.restic import Repository
from kmis.settings import Settings

NAME = "recovery-key"


def key_file(settings: Settings) -> Path:
    """Where the installation keeps its recovery key."""
    return settings.secrets_dir / NAME


def make_key(settings: Settings) -> bool:
    """The key, made if there is none yet. True when it is new: it must be shown and written down elsewhere."""
    fresh = not key_file(settings).exists()
    settings.secret(NAME)
    return fresh


def address(settings: Settings, place: str | None = None) -> str:
    """The repository's place. Raises BackupError when none is set, or it lies within the installation."""
    chosen = place or settings.backup_repository
    if not chosen:
        raise BackupError("no repository of backups is set; set KMIS_BACKUP_REPOSITORY to a folder or s3:https://…")
    if ":" not in chosen:
        chosen = str(Path(chosen).expanduser().resolve())
        if Path(chosen) == settings.root or settings.root in Path(chosen).parents:
            raise BackupError("the repository of backups lies inside KMIS_HOME: choose another disk or server")
    return chosen


def repository(settings: Settings, place: str | None = None, key: Path | None = None) -> Repository:
    """The repository of the settings, or at another place, with a key out of a file or of the installation.

    Raises BackupError when no place is set, or the key's file is missing.
    """
    chosen = address(settings, place)
    file = key or key_file(settings)
    if not file.is_file():
        raise BackupError(
            "the recovery key is missing: give the file in which you keep it (--key-file FILE); for the first backup,"
            " `kmis backup` by hand makes and shows one"
        )
    return Repository(chosen, file.resolve(), settings.root / "tmp" / "restic")
