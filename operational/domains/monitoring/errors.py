"""Refusals of figures and files."""

from __future__ import annotations

from kmis.query import QueryError, SelectionError
from operational.kit.errors import BusinessError, Conflict, FieldErrors


class FigureRefused(BusinessError):
    """The query service refused; the text is the service's own, by its key."""

    message_key = "monitoring.error.query"

    def __init__(self, error: QueryError) -> None:
        super().__init__()
        self.message_key = f"monitoring.{error.key}"  # type: ignore[misc]  # the key is the refusal's own
        self.status = error.status  # type: ignore[misc]  # so is the status


class SelectionRefused(FieldErrors):
    """A selection that cannot be used: a message at each field."""

    def __init__(self, error: SelectionError) -> None:
        super().__init__([_FieldRefused(field, key) for field, key in error.errors.items()])


class _FieldRefused(BusinessError):
    """One field of a selection."""

    def __init__(self, field: str, key: str) -> None:
        super().__init__(field)
        self.message_key = f"monitoring.{key}"  # type: ignore[misc]  # the key is the refusal's own


class FormatUnknown(BusinessError):
    """The product is not made in this format."""

    message_key = "monitoring.error.format"
    field = "format"


class FileNotReady(Conflict):
    """The file is still being made, or could not be made."""

    message_key = "monitoring.error.not_ready"


class FileGone(BusinessError):
    """The file is no longer kept; it can be made again from the same snapshot."""

    message_key = "monitoring.error.gone"
    status = 410
