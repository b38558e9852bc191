"""The address of a page: which selection and snapshot it names, and the periods to pick by one click."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, Literal

from kmis.catalogue.models import Product
from kmis.query import Selection, SelectionError

SNAPSHOT: Final = "snapshot"
Preset = Literal["today", "yesterday", "week", "month", "previous_month", "quarter", "year", "previous_year", "custom"]
RANGE_PRESETS: Final[tuple[Preset, ...]] = (
    "today",
    "week",
    "month",
    "previous_month",
    "quarter",
    "year",
    "previous_year",
    "custom",
)
DAY_PRESETS: Final[tuple[Preset, ...]] = ("today", "yesterday", "custom")


@dataclass(frozen=True, slots=True)
class Address:
    """A selection and the snapshot that it is held to; None means the newest published one."""

    selection: Selection
    snapshot_id: int | None = None

    def pairs(self) -> list[tuple[str, str]]:
        """The parts of the query string in a stable order."""
        pairs = self.selection.pairs()
        if self.snapshot_id is not None:
            pairs.append((SNAPSHOT, str(self.snapshot_id)))
        return pairs

    def grouped(self) -> dict[str, list[str]]:
        """The same with repeated names gathered, as Streamlit takes it."""
        grouped: dict[str, list[str]] = {}
        for name, value in self.pairs():
            grouped.setdefault(name, []).append(value)
        return grouped


def read_address(pairs: Iterable[tuple[str, str]], product: Product, today: date) -> Address:
    """What an address says; the ends of the period that it leaves out come from the product's default.

    Raises SelectionError with field errors.
    """
    pairs = list(pairs)
    selection = Selection.from_query(pairs, default_selection(product, today))
    given = [value for name, value in pairs if name == SNAPSHOT]
    if not given:
        return Address(selection)
    if len(given) > 1 or not given[0].isdecimal() or len(given[0]) > 18:
        raise SelectionError({SNAPSHOT: "query.snapshot_unknown"})
    return Address(selection, int(given[0]))


def default_selection(product: Product, today: date) -> Selection:
    """The current day of a board, the current month of everything else."""
    return Selection(*preset_period("today" if product.period == "day" else "month", today))


def preset_period(preset: Preset, today: date) -> tuple[date, date]:
    """First and last day, both included. Raises ValueError for `custom`, which has none of its own."""
    match preset:
        case "today":
            return today, today
        case "yesterday":
            return today - timedelta(days=1), today - timedelta(days=1)
        case "week":
            return today - timedelta(days=today.weekday()), today
        case "month":
            return today.replace(day=1), today
        case "previous_month":
            last = today.replace(day=1) - timedelta(days=1)
            return last.replace(day=1), last
        case "quarter":
            return today.replace(month=(today.month - 1) // 3 * 3 + 1, day=1), today
        case "year":
            return today.replace(month=1, day=1), today
        case "previous_year":
            return date(today.year - 1, 1, 1), date(today.year - 1, 12, 31)
        case "custom":
            raise ValueError("a custom period has no days of its own")


def preset_of(selection: Selection, presets: Iterable[Preset], today: date) -> Preset:
    """The preset that the period of the selection equals, else `custom`."""
    for preset in presets:
        if preset != "custom" and preset_period(preset, today) == (
            selection.period_from,
            selection.period_to,
        ):
            return preset
    return "custom"
