"""A printed list as DOCX: A4 landscape, the header row repeated, running page numbers, totals at the end."""

from __future__ import annotations

from pathlib import Path

from docx import Document
from docx.document import Document as WordDocument
from docx.enum.section import WD_ORIENT
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Mm, Pt
from docx.table import Table
from docx.text.paragraph import Paragraph

from exports.columns import Control
from exports.order import Progress
from exports.printed import PRINT_ROWS, RIGHT_KINDS, PrintedList, TooManyRows
from exports.texts import text

PAGE_WIDTH = Mm(297)
PAGE_HEIGHT = Mm(210)
MARGIN = Mm(10)
FONT = "Times New Roman"


def write_docx(target: Path, listing: PrintedList, progress: Progress | None = None) -> Control:
    """Write the list to ``target``. Raises TooManyRows, RowsDiffer, ColumnMismatch."""
    if listing.total > PRINT_ROWS:
        raise TooManyRows(listing.total)
    control = Control(totals={column.key: 0 for column in listing.columns if column.totalled})
    document = Document()
    _page(document, listing)
    document.add_heading(listing.title, level=1)
    for name, value in listing.criteria:
        paragraph = document.add_paragraph()
        paragraph.paragraph_format.space_after = Pt(0)
        paragraph.add_run(f"{name}: ").bold = True
        paragraph.add_run(value)
    table = _table(document, listing.headers())
    right = [column.kind in RIGHT_KINDS for column in listing.columns]
    for number, row in enumerate(listing.rows(control), start=1):
        _add_row(table, row, right)
        if progress is not None and number % 500 == 0:
            progress(number, listing.total)
    document.add_paragraph(text("print.rows", listing.language, rows=listing.total))
    document.add_heading(text("print.totals", listing.language), level=2)
    totals = _table(document, list(listing.summary.headers))
    for line in listing.totals():
        _add_row(totals, line, [False] * len(line))
    document.add_paragraph(listing.made)
    unfinished = target.with_name(f"{target.name}.part")
    document.save(str(unfinished))
    unfinished.replace(target)
    return control


def _page(document: WordDocument, listing: PrintedList) -> None:
    section = document.sections[0]
    section.orientation = WD_ORIENT.LANDSCAPE
    section.page_width, section.page_height = PAGE_WIDTH, PAGE_HEIGHT
    section.left_margin = section.right_margin = section.top_margin = section.bottom_margin = MARGIN
    style = document.styles["Normal"]
    style.font.name, style.font.size = FONT, Pt(8)
    section.header.paragraphs[0].text = f"{listing.title}    {listing.snapshot}"
    footer = section.footer.paragraphs[0]
    before, rest = text("print.page", listing.language, page="\0", pages="\1").split("\0")
    between, after = rest.split("\1")
    for words, field in ((before, "PAGE"), (between, "NUMPAGES"), (after, None)):
        footer.add_run(words)
        if field is not None:
            _field(footer, field)


def _field(paragraph: Paragraph, name: str) -> None:
    field = OxmlElement("w:fldSimple")
    field.set(qn("w:instr"), name)
    paragraph._p.append(field)


def _table(document: WordDocument, headers: list[str]) -> Table:
    table: Table = document.add_table(rows=1, cols=len(headers))
    table.style = "Table Grid"
    for cell, header in zip(table.rows[0].cells, headers, strict=True):
        cell.paragraphs[0].add_run(header).bold = True
    properties = table.rows[0]._tr.get_or_add_trPr()
    properties.append(OxmlElement("w:tblHeader"))
    return table


def _add_row(table: Table, values: list[str], right: list[bool]) -> None:
    # python-docx walks the whole table for each added row; a row of its own XML keeps long lists linear.
    row = OxmlElement("w:tr")
    for value, to_right in zip(values, right, strict=True):
        paragraph = OxmlElement("w:p")
        if to_right:
            properties, justification = OxmlElement("w:pPr"), OxmlElement("w:jc")
            justification.set(qn("w:val"), "right")
            properties.append(justification)
            paragraph.append(properties)
        if value:
            run, words = OxmlElement("w:r"), OxmlElement("w:t")
            words.text = value
            words.set(qn("xml:space"), "preserve")
            run.append(words)
            paragraph.append(run)
        cell = OxmlElement("w:tc")
        cell.append(paragraph)
        row.append(cell)
    table._tbl.append(row)
