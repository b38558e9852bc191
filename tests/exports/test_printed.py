"""Lists on paper: Kazakh letters with an embedded font, running page numbers, pieces joined, too long refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from docx import Document
from pypdf import PdfReader

from exports import pdf
from exports.pdf import PrintFailed, write_pdf
from exports.printed import PrintedList, TooManyRows, printed, printed_total
from exports.word import write_docx
from exports.workbook import RowsDiffer
from tests.exports import rows

LETTERS = "ә ғ қ ң ө ұ ү һ і Ә Ғ Қ Ң Ө Ұ Ү Һ І"


def listing(total: int = 3, declared: int | None = None, language: str = "kk") -> PrintedList:
    data = rows.sheet() if total == 3 else rows.long_sheet(total)
    return PrintedList(
        title=f"REP-01 Журнал {LETTERS}",
        criteria=[("Кезең", "01.01.2026 – 31.01.2026"), ("Ұйым", "Қаратөбе ауруханасы")],
        snapshot="Деректер түсірілімі 7, 01.02.2026 10:00",
        made="Жасаған: Әлиев Ә.",
        columns=data.columns,
        batches=data.batches,
        total=total if declared is None else declared,
        summary=rows.SUMMARY,
        language="ru" if language == "ru" else "kk",
        zone="Asia/Oral",
    )


def pages(file: Path) -> list[str]:
    return [page.extract_text() for page in PdfReader(file).pages]


def test_pdf_holds_kazakh_letters_criteria_snapshot_rows_and_totals(tmp_path: Path) -> None:
    write_pdf(tmp_path / "x.pdf", listing())
    text = " ".join(" ".join(pages(tmp_path / "x.pdf")).split())
    for words in (
        f"REP-01 Журнал {LETTERS}", "Кезең", "Қаратөбе ауруханасы", "Деректер түсірілімі 7", "007001010003",
        "30.06.2023 23:30", "Жол саны: 3", "Жасаған: Әлиев Ә.", "1-бет, барлығы 1", "=Барлығы",
    ):  # fmt: skip
        assert words in text


def test_pdf_embeds_its_font(tmp_path: Path) -> None:
    write_pdf(tmp_path / "x.pdf", listing())
    page = PdfReader(tmp_path / "x.pdf").pages[0]
    fonts = [entry.get_object() for entry in page["/Resources"]["/Font"].values()]
    assert fonts
    for font in fonts:
        descriptor = font["/DescendantFonts"][0].get_object()["/FontDescriptor"].get_object()
        assert any(key.startswith("/FontFile") for key in descriptor)


def test_pieces_are_joined_with_running_page_numbers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf, "PIECE_ROWS", 150)
    told: list[tuple[int, int]] = []
    write_pdf(tmp_path / "x.pdf", listing(400, language="ru"), lambda done, total: told.append((done, total)))
    texts = pages(tmp_path / "x.pdf")
    assert len(texts) > 3
    for number, text in enumerate(texts, start=1):
        assert f"стр. {number} из {len(texts)}" in text
    words = " ".join(texts).split()
    assert [f"{value:08d}" for value in range(400)] == [word for word in words if len(word) == 8 and word.isdecimal()]
    assert told[-1] == (300, 400)
    assert rows.names_in(tmp_path) == ["x.pdf"], "no piece is left beside the file"


@pytest.mark.parametrize("write", [write_pdf, write_docx])
def test_a_list_too_long_for_paper_is_refused_and_the_file_is_offered(tmp_path: Path, write: object) -> None:
    assert callable(write)
    with pytest.raises(TooManyRows) as refused:
        write(tmp_path / "x", listing(10_001))
    assert "xlsx" in refused.value.message("kk")
    assert "10\u00a0001" in refused.value.message("ru")
    assert rows.names_in(tmp_path) == []


def test_the_worker_has_a_memory_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf, "WORKER_MEGABYTES", 60)
    with pytest.raises(PrintFailed) as failed:
        write_pdf(tmp_path / "x.pdf", listing())
    assert "xlsx" in failed.value.message("ru")
    assert rows.names_in(tmp_path) == []


@pytest.mark.parametrize("write", [write_pdf, write_docx])
def test_rows_that_are_not_the_figure_give_no_paper(tmp_path: Path, write: object) -> None:
    assert callable(write)
    with pytest.raises(RowsDiffer):
        write(tmp_path / "x", replace(listing(), total=4))
    assert rows.names_in(tmp_path) == []


def test_docx_has_repeated_header_page_fields_and_all_rows(tmp_path: Path) -> None:
    write_docx(tmp_path / "x.docx", listing(700))
    document = Document(str(tmp_path / "x.docx"))
    table = document.tables[0]
    assert len(table._tbl.tr_lst) == 701
    assert "w:tblHeader" in table.rows[0]._tr.xml
    assert [cell.text for cell in table.rows[700].cells] == ["699", "00000699", "1"]
    section = document.sections[0]
    assert section.page_width > section.page_height
    footer = section.footer.paragraphs[0]._p.xml
    assert "NUMPAGES" in footer
    assert '"PAGE"' in footer
    assert "Деректер түсірілімі 7" in section.header.paragraphs[0].text
    assert document.tables[1].rows[1].cells[0].text == "Өлім-жітім, %"


def test_docx_keeps_kazakh_letters_and_is_text_only(tmp_path: Path) -> None:
    write_docx(tmp_path / "x.docx", listing())
    document = Document(str(tmp_path / "x.docx"))
    assert LETTERS in document.paragraphs[0].text
    assert document.tables[0].rows[1].cells[1].text.startswith("=HYPERLINK(1)")
    assert document.tables[0].rows[3].cells[7].text == "0"


def test_numbers_on_paper_are_written_as_in_kazakhstan() -> None:
    assert printed(1234.5, "number") == "1\u00a0234,5"
    assert printed_total(1234567) == "1\u00a0234\u00a0567"
    assert printed_total(12.0) == "12"
    assert printed_total(None) == printed(None, "money") == ""
