"""Makes the files of the catalogue's products: unloads and printed forms, out of one query and one snapshot.

A file is refused (RowsDiffer, TotalsDiffer) when its rows do not make the figure of the same selection: a
number on a screen and the file below it are equal, or there is no file.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from exports.bookframe import DataSheet, ServiceCell, SummarySheet
from exports.columns import ColumnSpec, Control
from exports.ledger import Ledger
from exports.legacy import write_xls
from exports.naming import file_name
from exports.order import MadeFile, Order, Progress
from exports.passport import FileContext, passport_lines, specs, summary_sheet
from exports.pdf import write_pdf
from exports.printed import PRINT_ROWS, PrintedList, TooManyRows
from exports.texts import text
from exports.word import write_docx
from exports.workbook import write_xlsx
from kmis.catalogue.models import Column, Product
from kmis.clock import Clock, SystemClock
from kmis.query import QueryService, RowStream, Summary
from kmis.settings import Settings

WHOLE_SCOPE = "all"
PLACES = frozenset({"region", "district", "organisation"})


class TotalsDiffer(RuntimeError):
    """The rows do not add up to the figures of the same selection and snapshot."""

    def __init__(self, columns: Sequence[str]) -> None:
        super().__init__(f"the rows do not make the figures of: {', '.join(columns)}")
        self.columns = tuple(columns)


def make_file(
    service: QueryService,
    order: Order,
    folder: Path,
    progress: Progress | None = None,
    clock: Clock | None = None,
) -> MadeFile:
    """Make the file of an order in ``folder`` and return it with its checksum.

    ``progress`` gets rows done and rows in all. Raises the refusals of ``kmis.query``, TooManyRows,
    PrintFailed, RowsDiffer and TotalsDiffer; then no file is left.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    making = _Making(service, order, (clock or SystemClock()).now())
    target = folder / making.name()
    with service.row_batches(
        order.product_id, order.selection, order.scope, order.snapshot, order.language, order.measure
    ) as stream:
        control = making.write(target, stream, progress)
        columns = stream.columns
    wrong = [] if order.measure else differing(making.product, columns, making.summary, control)
    if wrong:
        target.unlink()
        raise TotalsDiffer(wrong)
    with target.open("rb") as stream_of_file:
        digest = hashlib.file_digest(stream_of_file, "sha256").hexdigest()
    return MadeFile(target, target.name, digest, control.rows)


def make_unload(
    settings: Settings,
    service: QueryService,
    order: Order,
    progress: Progress | None = None,
    clock: Clock | None = None,
) -> MadeFile:
    """Make the file of an order, kept under ``settings.exports_dir`` and entered in the log.

    The log's row pins the snapshot from the first moment on. Raises what ``make_file`` raises, after
    noting it.
    """
    with Ledger(settings) as ledger:
        return _recorded(settings, service, ledger, ledger.open(order), order, progress, clock)


def carry_out(
    settings: Settings, service: QueryService, entry: int, progress: Progress | None = None, clock: Clock | None = None
) -> MadeFile:
    """Make the file of an order that waits in the log (``unload_log.status = 'waiting'``)."""
    with Ledger(settings) as ledger:
        order = ledger.take(entry)
        return _recorded(settings, service, ledger, entry, order, progress, clock)


def kept_file(settings: Settings, entry: int, name: str) -> Path:
    """Where the file of a log row lies."""
    return settings.exports_dir / str(entry) / name


def _recorded(
    settings: Settings,
    service: QueryService,
    ledger: Ledger,
    entry: int,
    order: Order,
    progress: Progress | None,
    clock: Clock | None,
) -> MadeFile:
    def tell(done: int, total: int) -> None:
        ledger.progress(entry, done, total)
        if progress is not None:
            progress(done, total)

    try:
        made = make_file(service, order, settings.exports_dir / str(entry), tell, clock)
    except BaseException as error:
        ledger.failed(entry, error)
        raise
    ledger.ready(entry, made)
    return made


def differing(product: Product, columns: Sequence[Column], summary: Summary, control: Control) -> list[str]:
    """The columns whose sums over the rows are not the figures of the selection."""
    figures = {line.measure.name: line.measure.value for line in summary.lines if line.label is None}
    wrong = []
    for column in columns:
        if column.measure is None or not product.measure(column.measure).additive:
            continue
        figure = figures.get(column.measure)
        if figure is not None and round(float(control.totals[column.name]), 2) != round(float(figure), 2):
            wrong.append(column.name)
    return wrong


@dataclass
class _Making:
    """One file on its way: what it says about itself, and how its format is written."""

    service: QueryService
    order: Order
    made_at: datetime

    def __post_init__(self) -> None:
        order = self.order
        asked = (order.product_id, order.selection, order.scope, order.snapshot)
        self.product = self.service.catalogue.product(order.product_id)
        self.summary = self.service.summary(*asked)
        dimensions = self.service.catalogue.dimensions
        labels = self.service.path_labels(*asked)
        self.context = FileContext(
            product=self.product,
            selection=order.selection,
            published=self.service.published(order.snapshot),
            language=order.language,
            zone=self.service.settings.zone,
            path=tuple((name, label) for (name, _), label in zip(order.selection.path, labels, strict=True)),
            filters=self.service.filter_labels(*asked),
            dimension_titles={name: entry.titles.text(order.language) for name, entry in dimensions.items()},
            organisations=len(order.scope.organisation_ids),
            user_label=order.user_label,
            made_at=self.made_at,
            measure_title=self._measure_title(),
        )

    def name(self) -> str:
        """The file name: the deepest organisation of the selection stands in it."""
        order = self.order
        place = next((label.ru for name, label in reversed(self.context.path) if name in PLACES), WHOLE_SCOPE)
        period = (order.selection.period_from, order.selection.period_to)
        return file_name(order.product_id, self.product.short_name, period, place, order.snapshot, order.format)

    def write(self, target: Path, stream: RowStream, progress: Progress | None) -> Control:
        """Write the file in the order's format."""
        language = self.order.language
        columns = specs(stream.columns, language)
        if self.order.format in ("pdf", "docx"):
            if stream.total > PRINT_ROWS:
                raise TooManyRows(stream.total)
            printing = write_pdf if self.order.format == "pdf" else write_docx
            return printing(target, self._listing(columns, stream), progress)
        title = self.product.short_titles.text(language)
        zone = self.service.settings.timezone
        data = DataSheet(self.product.id, title, columns, stream.batches, stream.total, zone)

        def passport(control: Control) -> list[tuple[str, ServiceCell]]:
            return passport_lines(self.context, columns, control)

        writing = write_xls if self.order.format == "xls" else write_xlsx
        return writing(target, data, self._summary_sheet(), passport, language, progress)

    def _listing(self, columns: Sequence[ColumnSpec], stream: RowStream) -> PrintedList:
        language, context = self.order.language, self.context
        published = context.published
        return PrintedList(
            title=context.title,
            criteria=context.criteria(),
            snapshot=text(
                "print.snapshot",
                language,
                number=published.snapshot_id,
                moment=context.moment(published.published_at),
            ),
            made=text("print.made", language, who=context.user_label, when=context.moment(context.made_at)),
            columns=columns,
            batches=stream.batches,
            total=stream.total,
            summary=self._summary_sheet(),
            language=language,
            zone=self.service.settings.timezone,
        )

    def _summary_sheet(self) -> SummarySheet:
        dimension = self.summary.dimension
        title = self.context.dimension_titles.get(dimension, dimension) if dimension else ""
        return summary_sheet(self.summary, title, self.order.language)

    def _measure_title(self) -> str | None:
        if self.order.measure is None:
            return None
        return self.product.measure(self.order.measure).titles.text(self.order.language)
