"""An order for a file and the file that was made of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Literal, get_args

from exports.texts import Language
from kmis.query import Scope, Selection

Format = Literal["xlsx", "xls", "pdf", "docx"]
FORMATS: tuple[Format, ...] = get_args(Format)
MEDIA_TYPES: dict[str, str] = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "xls": "application/vnd.ms-excel",
    "pdf": "application/pdf",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "zip": "application/zip",
}
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Order:
    """What file is wanted, by whom. ``user_label`` is what stands in the file as its maker.

    ``measure`` lists the rows behind one figure instead of the product's own unload.
    """

    product_id: str
    selection: Selection
    scope: Scope
    snapshot: int
    language: Language
    user_label: str
    format: Format = "xlsx"
    measure: str | None = None

    def criteria(self) -> dict[str, object]:
        """The selection as it is kept in the log."""
        return {
            "from": self.selection.period_from.isoformat(),
            "to": self.selection.period_to.isoformat(),
            "path": [list(step) for step in self.selection.path],
            "filters": {name: list(keys) for name, keys in self.selection.filters.items()},
            "measure": self.measure,
        }

    @classmethod
    def from_log(cls, row: Mapping[str, Any], scope: Scope) -> Order:
        """The order that a row of ``unload_log`` (with its maker's ``display_name``) keeps."""
        kept = row["criteria"]
        selection = Selection(
            date.fromisoformat(kept["from"]),
            date.fromisoformat(kept["to"]),
            tuple((dimension, key) for dimension, key in kept.get("path", ())),
            {name: tuple(keys) for name, keys in kept.get("filters", {}).items()},
        )
        return cls(
            row["product"],
            selection,
            scope,
            row["snapshot_id"],
            row["language"],
            row["display_name"],
            row["format"],
            kept.get("measure"),
        )


@dataclass(frozen=True, slots=True)
class MadeFile:
    """A finished file: where it lies, its name for the user, its SHA-256 in hex, its rows."""

    path: Path
    name: str
    sha256: str
    rows: int

    @property
    def media_type(self) -> str:
        """The MIME type of the file."""
        return MEDIA_TYPES[self.path.suffix.removeprefix(".")]
