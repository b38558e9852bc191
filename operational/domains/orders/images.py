"""Who looks at images: the audit of openings, and the files of an installation."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy.orm import Session

from kmis.clock import Clock
from operational.domains.orders import errors
from operational.kit.audit import audit

# A viewer asks for hundreds of slices; they are one opening while they follow one another within this time.
ONE_OPENING = timedelta(minutes=30)
_KEPT = 10_000
_last: dict[tuple[int, int], datetime] = {}


def opened(session: Session, clock: Clock, user_id: int, study_id: int, *, page: bool = False) -> None:
    """Audit that a user looks at a study: each opening of its page, and slices that no opened page asks for."""
    now = clock.now()
    before = _last.get((user_id, study_id))
    if page or before is None or not timedelta() <= now - before < ONE_OPENING:
        audit(session, "imaging_study.opened", object_table="imaging_study", object_id=study_id)
    if len(_last) >= _KEPT:
        _last.clear()
    _last[(user_id, study_id)] = now


def path_under(home: Path, relative: str) -> Path:
    """The file below the installation's home. Raises ImageMissing for a path that leads out of it."""
    root = home.resolve()
    path = (root / relative).resolve()
    if not path.is_relative_to(root):
        raise errors.ImageMissing()
    return path
