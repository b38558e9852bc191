"""A message for the next page or for the htmx answer: shown as a toast, with an undo where one exists.

It travels in a short-lived cookie as a text key with its parameters; parameters hold no names or numbers of
people.
"""

from __future__ import annotations

import base64
import json
from dataclasses import asdict, dataclass, field

from fastapi import Request
from starlette.responses import Response

COOKIE = "kmis_flash"


@dataclass(frozen=True, slots=True)
class Flash:
    """A toast: `tone` is ok, info, warning or danger; `undo_url` is posted to when the user takes it back."""

    text_key: str
    tone: str = "ok"
    params: dict[str, str | int] = field(default_factory=dict)
    undo_url: str | None = None


def flash(response: Response, message: Flash) -> None:
    """Put the message on the answer; the next page shows it."""
    packed = base64.urlsafe_b64encode(json.dumps(asdict(message)).encode()).decode()
    response.set_cookie(COOKIE, packed, max_age=60, httponly=True, samesite="lax", path="/")


def read_flash(request: Request) -> Flash | None:
    """The waiting message, or None when there is none or it is not ours."""
    packed = request.cookies.get(COOKIE)
    if not packed:
        return None
    try:
        message = Flash(**json.loads(base64.urlsafe_b64decode(packed)))
    except (ValueError, TypeError):
        return None
    local = message.undo_url is None or (message.undo_url.startswith("/") and not message.undo_url.startswith("//"))
    return message if local else None
