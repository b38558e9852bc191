"""Why a backup, a restore or an upgrade was not made. Texts hold no password, no key and nobody's data."""

from __future__ import annotations

from kmis.postgres import ServerError


class BackupError(ServerError):
    """It was not done as asked; the message says why and what to do."""


class RepositoryMissing(BackupError):
    """There is no repository at that place yet."""


class PointBroken(BackupError):
    """Database and files of one backup do not belong together, or a part is missing."""
