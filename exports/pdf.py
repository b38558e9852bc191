"""A printed list as PDF: typst compiles pieces of 1,000 rows, pypdf joins them and lays running page
numbers over.

The memory of typst grows with its table (10,000 rows: 2.1 GB), so each piece is compiled in a worker
process of its own with a memory limit. The font (Libertinus Serif, all Kazakh letters) is inside the typst
wheel and gets embedded.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from pypdf import PdfReader, PdfWriter

from exports.columns import Control
from exports.order import Progress
from exports.page_layout import DATA_WORD, HEADER_WORD, PageLayout, breakable, lay_out
from exports.printed import PRINT_ROWS, RIGHT_KINDS, PrintedList, TooManyRows
from exports.texts import Language, text

PIECE_ROWS = 1_000
WORKER_MEGABYTES = 2_048
WORKER_SECONDS = 180


class PrintFailed(RuntimeError):
    """The worker could not make the piece, most often because its memory limit was reached."""

    def message(self, language: Language) -> str:
        """The text for the user."""
        return text("error.memory", language)


def write_pdf(target: Path, listing: PrintedList, progress: Progress | None = None) -> Control:
    """Write the list to ``target``. Raises TooManyRows, PrintFailed, RowsDiffer, ColumnMismatch."""
    if listing.total > PRINT_ROWS:
        raise TooManyRows(listing.total)
    control = Control(totals={column.key: 0 for column in listing.columns if column.totalled})
    unfinished = target.with_name(f"{target.name}.part")
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".print-") as folder:
        contents = _Pieces(listing, control, progress)
        pieces = [
            _compile("list.typ", Path(folder) / f"piece{number}", content) for number, content in enumerate(contents)
        ]
        joined = PdfWriter()
        for piece in pieces:
            joined.append(PdfReader(piece))
        label = text("print.page", listing.language, page="{page}", pages="{pages}")
        numbers = {
            "paper": contents.layout.paper if contents.layout else "a4",
            "language": listing.language,
            "pages": len(joined.pages),
            "label": label,
            "left": listing.snapshot,
        }
        overlay = PdfReader(_compile("numbers.typ", Path(folder) / "numbers", numbers))
        for page, number in zip(joined.pages, overlay.pages, strict=True):
            page.merge_page(number)
            page.compress_content_streams()
        joined.add_metadata({"/Title": listing.title})
        joined.compress_identical_objects()
        joined.write(unfinished)
    unfinished.replace(target)
    return control


def page(template: str, content: dict[str, object]) -> bytes:
    """A template of one page with its content, as PDF. Raises PrintFailed."""
    with tempfile.TemporaryDirectory(prefix="kmis-page-") as folder:
        return _compile(template, Path(folder) / "page", content).read_bytes()


class _Pieces:
    """The pieces of a list in turn; the first one fixes the layout of all."""

    def __init__(self, listing: PrintedList, control: Control, progress: Progress | None) -> None:
        self._listing = listing
        self._control = control
        self._progress = progress
        self.layout: PageLayout | None = None

    def __iter__(self) -> Iterator[dict[str, object]]:
        listing = self._listing
        rows = listing.rows(self._control)
        count = max(1, -(-listing.total // PIECE_ROWS))
        frame: dict[str, object] = {}
        for number in range(count):
            last = number + 1 == count
            # The last piece reads on to the end, so that a surplus row is noticed.
            piece = list(rows) if last else list(islice(rows, PIECE_ROWS))
            if self.layout is None:
                self.layout = lay_out(listing.columns, listing.headers(), piece)
                frame = _frame(listing, self.layout)
            if self._progress is not None:
                self._progress(min(number * PIECE_ROWS, listing.total), listing.total)
            texts = [[breakable(cell, DATA_WORD) for cell in row] for row in piece]
            yield {**frame, "rows": texts, "first": number == 0, "last": last}


def _frame(listing: PrintedList, layout: PageLayout) -> dict[str, object]:
    return {
        "title": listing.title,
        "language": listing.language,
        "paper": layout.paper,
        "size": layout.size,
        "snapshot": listing.snapshot,
        "criteria": [list(pair) for pair in listing.criteria],
        "criteria_line": _one_line(listing.criteria),
        "headers": [breakable(header, HEADER_WORD) for header in listing.headers()],
        "widths": layout.widths,
        "numeric": [column.kind in RIGHT_KINDS for column in listing.columns],
        "rows_line": text("print.rows", listing.language, rows=listing.total),
        "totals_title": text("print.totals", listing.language),
        "totals_headers": list(listing.summary.headers),
        "totals": listing.totals(),
        "made": listing.made,
    }


def _one_line(criteria: Sequence[tuple[str, str]]) -> str:
    line = "; ".join(f"{name}: {value}" for name, value in criteria)
    return line if len(line) <= 170 else f"{line[:169]}…"


def _compile(template: str, folder: Path, content: dict[str, object]) -> Path:
    folder.mkdir()
    (folder / "data.json").write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
    command = [sys.executable, "-m", "exports.pdf_worker", template, str(folder), str(WORKER_MEGABYTES)]
    try:
        subprocess.run(command, check=True, capture_output=True, timeout=WORKER_SECONDS)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        # The worker's own words are not passed on: they may quote a row.
        raise PrintFailed(f"the print worker ended with {type(error).__name__}") from None
    (folder / "data.json").unlink()
    return folder / "out.pdf"
