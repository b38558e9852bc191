"""The sheet on paper: one A4 page, whatever it says."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from pypdf import PdfReader

from signal_sheets.sheet import CUT, Section, Sheet, cut, pdf_of

SHORT = Sheet(
    language="kk",
    organisation="№ 1 емхана",
    title="Жедел коронарлық синдромнан кейін шыққандар",
    number="SIG-01 · № 17",
    severity="Шұғыл",
    critical=True,
    facts=[("Науқас", "Өмірбек Әлия"), ("Мерзімі", "27.11.2026 14:00")],
    reasons=Section("Себебі", ["Стационардан шықты, диагнозы I21.0"], listed=True),
    recommendations=Section("Ұсыныстар", ["Аспирин 75 мг"]),
    advice=Section("Кеңес", ["Науқасты үйінде қарау"], listed=True),
    task=Section("Не істеу керек", ["72 сағат ішінде қарау"]),
    history=Section("Тарихы", ["24.11.2026 14:00 ашылды"]),
    blanks=["Қаралған күні", "Нәтижесі", "Қолы"],
    footer="Парақ KMIS жүйесінен басылды",
)
WORD = "Ұзақсөзқосымшалары"
LONG = " ".join([WORD] * 400)
LONGEST = replace(
    SHORT,
    language="ru",
    organisation=LONG,
    title=LONG,
    facts=[(LONG, LONG)] * 10,
    reasons=Section(LONG[:100], [LONG] * 50, listed=True),
    recommendations=Section("Рекомендации", [LONG]),
    advice=Section("Советы", [LONG] * 50, listed=True),
    task=Section("Что сделать", [LONG] * 5),
    history=Section("История", [LONG] * 50),
    footer=LONG,
)


@pytest.mark.parametrize("sheet", [SHORT, LONGEST], ids=["short", "longest"])
def test_the_sheet_is_exactly_one_a4_page(sheet: Sheet) -> None:
    document = PdfReader(io.BytesIO(pdf_of(sheet)))
    assert len(document.pages) == 1
    box = document.pages[0].mediabox
    assert (round(float(box.width)), round(float(box.height))) == (595, 842)
    text = " ".join(document.pages[0].extract_text().split())
    # Hyphenation may cut a long word of the content; what closes the page must be on it.
    assert sheet.blanks[-1] in text
    assert sheet.number in text


def test_what_is_cut_says_so() -> None:
    assert cut("а  б\nв", 10) == "а б в"
    assert cut(LONG, 50).endswith(CUT)
    assert len(cut(LONG, 50)) <= 50
