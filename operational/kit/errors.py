"""Refused business actions. Each is a class of its own and carries what the user is told, never an identifier."""

from __future__ import annotations

from typing import Any, ClassVar

from sqlalchemy.exc import IntegrityError


class BusinessError(Exception):
    """An action refused by a rule.

    ``message_key`` names the text shown (texts.yml), ``status`` the HTTP status, ``field`` the form field that
    the message stands at, ``params`` what the text is filled with.
    """

    message_key: ClassVar[str] = "error.refused"
    status: ClassVar[int] = 422
    field: str | None = None

    def __init__(self, field: str | None = None, **params: Any) -> None:
        super().__init__(self.message_key)
        self.field = field or type(self).field
        self.params = params


class FieldErrors(BusinessError):
    """Several refused fields at once."""

    message_key = "error.fields"

    def __init__(self, errors: list[BusinessError]) -> None:
        super().__init__()
        self.errors = errors


class NotFound(BusinessError):
    """There is no such thing in the user's scope."""

    message_key = "error.not_found"
    status = 404


class Forbidden(BusinessError):
    """The user has no right to this."""

    message_key = "error.forbidden"
    status = 403


class Conflict(BusinessError):
    """The thing has changed or is taken meanwhile."""

    message_key = "error.conflict"
    status = 409


class Required(BusinessError):
    """A field that must be filled in is empty."""

    message_key = "error.required"


def constraint_of(error: IntegrityError) -> str:
    """The name of the constraint that refused, so that a service can raise the error that belongs to it."""
    diagnostics = getattr(error.orig, "diag", None)
    return str(getattr(diagnostics, "constraint_name", "") or "")
