"""What stands on «Свод» and «Паспорт» of a file: totals and ratios, criteria, definitions, snapshot,
control totals.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from exports.bookframe import ServiceCell, SummarySheet
from exports.columns import ColumnSpec, Control, Total
from exports.texts import Language, text
from kmis.catalogue.models import Column, Passport, Product
from kmis.query import Label, Published, Selection, Summary

PASSPORT_FIELDS = tuple(Passport.model_fields)
SUMMARY_WIDTHS = (36.0, 18.0, 44.0, 14.0, 14.0, 14.0, 18.0)


@dataclass(frozen=True, slots=True)
class FileContext:
    """Everything that a file says about itself besides its rows."""

    product: Product
    selection: Selection
    published: Published
    language: Language
    zone: ZoneInfo
    path: tuple[tuple[str, Label], ...]
    filters: Mapping[str, tuple[Label, ...]]
    dimension_titles: Mapping[str, str]
    organisations: int
    user_label: str
    made_at: datetime
    measure_title: str | None = None

    def moment(self, at: datetime | None) -> str:
        """A moment in the organisation's zone, ``dd.mm.yyyy hh:mm``; empty when unknown."""
        return f"{at.astimezone(self.zone):%d.%m.%Y %H:%M}" if at is not None else ""

    @property
    def title(self) -> str:
        """The product's identifier and title."""
        return f"{self.product.id} {self.product.titles.text(self.language)}"

    @property
    def period(self) -> str:
        """The period, both ends included."""
        first, last = self.selection.period_from, self.selection.period_to
        return f"{first:%d.%m.%Y}" if first == last else f"{first:%d.%m.%Y} – {last:%d.%m.%Y}"

    def criteria(self) -> list[tuple[str, str]]:
        """The selection in words: period, path, filters, the figure whose rows are listed."""
        language = self.language
        lines = [(text("passport.period", language), self.period)]
        for dimension, label in self.path:
            lines.append((self.dimension_titles.get(dimension, dimension), self._named(label)))
        for dimension, labels in self.filters.items():
            title = f"{text('passport.filter', language)}: {self.dimension_titles.get(dimension, dimension)}"
            lines.append((title, "; ".join(self._named(label) for label in labels)))
        if self.measure_title is not None:
            lines.append((text("passport.measure", language), self.measure_title))
        if not self.path:
            lines.append((text("passport.path", language), text("passport.all", language)))
        lines.append((text("passport.organisations", language), str(self.organisations)))
        return lines

    def _named(self, label: Label) -> str:
        return label.marked(self.language) or text("summary.unknown", self.language)


def specs(columns: Sequence[Column], language: Language) -> list[ColumnSpec]:
    """The catalogue's columns as columns of a file. Measures, flags and money get a control total."""
    return [
        ColumnSpec(
            key=column.name,
            title=column.titles.text(language),
            kind=column.type,
            width=float(column.width),
            totalled=column.measure is not None or column.type in ("flag", "money"),
        )
        for column in columns
    ]


def summary_sheet(summary: Summary, dimension_title: str, language: Language) -> SummarySheet:
    """The sheet «Свод»: totals first, then the members of the next level."""
    keys = ("measure", "dimension", "member", "value", "numerator", "denominator", "unit")
    lines: list[Sequence[ServiceCell]] = []
    for line in summary.lines:
        measure, label = line.measure.measure, line.label
        total = label is None
        member = text("summary.total", language) if label is None else label.marked(language)
        lines.append((
            measure.titles.text(language),
            None if total else dimension_title,
            member or text("summary.unknown", language),
            line.measure.value,
            line.measure.numerator,
            line.measure.denominator,
            measure.unit.text(language),
        ))  # fmt: skip
    return SummarySheet([text(f"summary.{key}", language) for key in keys], lines, SUMMARY_WIDTHS)


def passport_lines(
    context: FileContext, columns: Sequence[ColumnSpec], control: Control
) -> list[tuple[str, ServiceCell]]:
    """The sheet «Паспорт»: what, of what, from which snapshot, what was written, by whom and when."""
    language = context.language
    product = context.product

    def word(key: str) -> str:
        return text(f"passport.{key}", language)

    lines: list[tuple[str, ServiceCell]] = [(word("product"), context.title)]
    lines.append((word("grain"), product.grain.text(language)))
    lines += context.criteria()
    published = context.published
    lines += [
        (word("snapshot"), published.snapshot_id),
        (word("event_at"), context.moment(published.event_at)),
        (word("published_at"), context.moment(published.published_at)),
        (word("reconciliation"), word("reconciled" if published.reconciled else "not_reconciled")),
        (word("rows"), control.rows),
    ]
    for column in columns:
        if column.totalled:
            lines.append((f"{word('total')}: {column.title}", plain(control.totals.get(column.key, 0))))
    lines += [(word("early_dates"), control.early_dates)] if control.early_dates else []
    lines += [(word("shortened"), control.shortened)] if control.shortened else []
    definition = product.passport.text(language)
    lines += [(word(f"field.{name}"), getattr(definition, name)) for name in PASSPORT_FIELDS]
    for measure in product.shown_measures:
        title = f"{word('definition')}: {measure.titles.text(language)}"
        lines.append((title, measure.definition.text(language)))
    if language == "kk":
        lines.append((word("mark"), word("mark.meaning")))
    lines += [
        (word("act"), product.act.titles.text(language)),
        (word("made_by"), context.user_label),
        (word("made_at"), context.moment(context.made_at)),
    ]
    return lines


def plain(total: Total) -> int | float:
    """A control total as a number that a cell can hold."""
    return total if isinstance(total, int) else float(total)
