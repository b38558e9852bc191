"""Drafts of forms: what a user typed and has not yet sent, kept per author, form and subject.

A draft is seen by its author only. It is no patient record: nothing reads it but the form that it restores.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field, field_validator
from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import JSONB
from starlette.responses import Response

from operational.kit.errors import BusinessError, Forbidden
from operational.web.access import require
from operational.web.database import Db
from operational.web.viewer import Viewer

CONTENT_LIMIT = 200_000  # characters of JSON; a long visit with all texts is below 40,000
SAVE = text(
    "insert into document_draft"
    " (owner_organisation_id, author_id, form_key, subject_key, content, updated_at)"
    " values (:organisation, :author, :form, :subject, :content, now())"
    " on conflict (author_id, form_key, subject_key)"
    " do update set content = excluded.content, updated_at = excluded.updated_at"
).bindparams(bindparam("content", type_=JSONB))
READ = text(
    "select content, updated_at from document_draft"
    " where author_id = :author and form_key = :form and subject_key = :subject"
)
DROP = text("delete from document_draft where author_id = :author and form_key = :form and subject_key = :subject")

router = APIRouter(prefix="/drafts", include_in_schema=False)
Key = Annotated[str, Path(pattern=r"^[A-Za-z0-9_.:-]{1,80}$")]
SignedIn = Annotated[Viewer, require(None)]


class DraftTooLong(BusinessError):
    """A form holds more text than a draft may keep."""

    message_key = "draft.error.too_long"
    status = 413


class DraftContent(BaseModel):
    """The fields of the form by name, each with all its values."""

    content: dict[str, list[str]] = Field(max_length=2000)

    @field_validator("content")
    @classmethod
    def without_secrets(cls, value: dict[str, list[str]]) -> dict[str, list[str]]:
        """Tokens and passwords are never kept."""
        return {name: kept for name, kept in value.items() if name != "csrf_token" and "password" not in name}


def _keys(viewer: Viewer, form_key: str, subject_key: str) -> dict[str, Any]:
    return {"author": viewer.user_id, "form": form_key, "subject": subject_key}


@router.put("/{form_key}/{subject_key}")
def save(form_key: Key, subject_key: Key, draft: DraftContent, viewer: SignedIn, db: Db) -> Response:
    """Keep the draft in place of the one before."""
    if viewer.home_organisation_id is None:
        raise Forbidden
    if len(json.dumps(draft.content, ensure_ascii=False)) > CONTENT_LIMIT:
        raise DraftTooLong
    keys = _keys(viewer, form_key, subject_key)
    db.execute(SAVE, {**keys, "organisation": viewer.home_organisation_id, "content": draft.content})
    return Response(status_code=204)


@router.get("/{form_key}/{subject_key}")
def read(form_key: Key, subject_key: Key, viewer: SignedIn, db: Db) -> Response:
    """The draft, or 204 when there is none."""
    row = db.execute(READ, _keys(viewer, form_key, subject_key)).one_or_none()
    if row is None:
        return Response(status_code=204)
    updated_at: datetime = row.updated_at
    return JSONResponse({"content": row.content, "updated_at": updated_at.isoformat()})


@router.delete("/{form_key}/{subject_key}")
def drop(form_key: Key, subject_key: Key, viewer: SignedIn, db: Db) -> Response:
    """Forget the draft: the form was sent, or its author threw it away."""
    db.execute(DROP, _keys(viewer, form_key, subject_key))
    return Response(status_code=204)
