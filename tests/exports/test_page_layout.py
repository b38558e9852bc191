"""Columns of a printed list: every word fits, the page is full, the type is as large as it can be."""

from __future__ import annotations

from exports.columns import ColumnSpec
from exports.page_layout import BREAK, CHARACTER, POINT, TRIES, USABLE, breakable, lay_out


def columns(count: int) -> list[ColumnSpec]:
    return [ColumnSpec(str(index), f"Баған {index}", "text") for index in range(count)]


def test_a_short_list_fits_a4_in_the_largest_type() -> None:
    layout = lay_out(columns(4), ["А", "Б", "В", "Г"], [["1", "Қаратөбе", "2", "007001010003"]])
    assert (layout.paper, layout.size) == TRIES[0]
    assert round(sum(layout.widths)) == round(USABLE["a4"])


def test_every_word_of_the_data_fits_its_column() -> None:
    row = ["007001010003", "30.06.2023", "Сақтандырылған", "Жоқ"] * 6
    layout = lay_out(columns(24), [f"Б{index}" for index in range(24)], [row])
    letter = layout.size * CHARACTER * POINT
    assert all(width >= len(word) * letter for width, word in zip(layout.widths, row, strict=True))
    assert sum(layout.widths) <= USABLE[layout.paper] + 0.1


def test_more_columns_than_a_page_holds_share_it_all_the_same() -> None:
    layout = lay_out(columns(90), ["Қаржыландыру"] * 90, [["Акушерлік-гинекологиялық"] * 90])
    assert (layout.paper, layout.size) == TRIES[-1]
    assert sum(layout.widths) <= USABLE["a3"] + 0.1


def test_a_long_word_gets_places_to_break_and_a_hyphen_is_one() -> None:
    assert breakable("Акушерлік-гинекологиялық", 18) == "Акушерлік-гинекологиялық"
    assert breakable("007001010003", 18) == "007001010003"
    assert breakable("электрокардиографиялық зерттеу", 18) == f"электрокардиографи{BREAK}ялық зерттеу"


def test_a_hyphen_before_a_digit_is_no_place_to_break() -> None:
    assert breakable("АХЖ-10", 4) == f"АХЖ-{BREAK}10"
    assert breakable("АХЖ-10", 6) == "АХЖ-10"


def test_an_empty_list_has_a_layout() -> None:
    assert len(lay_out(columns(3), ["А", "Б", "В"], []).widths) == 3
