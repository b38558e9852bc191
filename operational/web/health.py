"""Whether this process and its database answer; for the supervisor and for `kmis up`, shown to anybody."""

from __future__ import annotations

from fastapi import APIRouter
from sqlalchemy import text

from operational.web.access import public
from operational.web.database import Db

router = APIRouter(include_in_schema=False)


@router.get("/healthz")
@public
def healthz(db: Db) -> dict[str, str]:
    """200 while the database answers."""
    db.execute(text("select 1"))
    return {"status": "ok"}
