"""Backup, restore and upgrade of an installation: database, lake, images, spool and keys as one consistent point."""

from kmis.backup.errors import BackupError, PointBroken, RepositoryMissing
from kmis.backup.journal import TOO_OLD

__all__ = ["TOO_OLD", "BackupError", "PointBroken", "RepositoryMissing"]
