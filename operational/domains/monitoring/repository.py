"""The log of files: each user sees the own ones."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from operational.kit.models import UnloadLog


def unload(session: Session, key: int, user_id: int) -> UnloadLog | None:
    return session.scalar(select(UnloadLog).where(UnloadLog.id == key, UnloadLog.user_id == user_id))


def unloads(session: Session, user_id: int, *, limit: int, offset: int) -> tuple[Sequence[UnloadLog], int]:
    """The user's files, newest first, and how many there are."""
    rows = session.scalars(
        select(UnloadLog).where(UnloadLog.user_id == user_id).order_by(UnloadLog.id.desc()).limit(limit).offset(offset)
    ).all()
    total = session.scalar(select(func.count()).select_from(UnloadLog).where(UnloadLog.user_id == user_id))
    return rows, int(total or 0)


def waiting(session: Session) -> Sequence[int]:
    """Orders that nobody has taken yet, oldest first."""
    return session.scalars(select(UnloadLog.id).where(UnloadLog.status == "waiting").order_by(UnloadLog.id)).all()


def running(session: Session) -> Sequence[UnloadLog]:
    """Orders of users that a worker was making. The command line makes its own files and has no user."""
    return session.scalars(select(UnloadLog).where(UnloadLog.status == "running", UnloadLog.user_id.is_not(None))).all()
