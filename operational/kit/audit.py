"""The audit trail: written in the transaction of the act, never changed."""

from __future__ import annotations

from typing import Any

from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session

from operational.kit.access import scope_of

WRITE = text(
    "insert into audit_event (user_id, action, object_table, object_id, organisation_id, reason, detail)"
    " values (:user_id, :action, :object_table, :object_id, :organisation_id, :reason, :detail)"
).bindparams(bindparam("detail", type_=JSONB))


def audit(
    session: Session,
    action: str,
    *,
    object_table: str | None = None,
    object_id: int | None = None,
    organisation_id: int | None = None,
    reason: str | None = None,
    detail: dict[str, Any] | None = None,
    user_id: int | None = None,
) -> None:
    """Record an act. ``detail`` holds no patient identifier: the object's key says whom it concerns."""
    scope = scope_of(session)
    session.execute(
        WRITE,
        {
            "user_id": user_id or scope.user_id,
            "action": action,
            "object_table": object_table,
            "object_id": object_id,
            "organisation_id": organisation_id or scope.home_organisation_id,
            "reason": reason or scope.reason,
            "detail": detail,
        },
    )
