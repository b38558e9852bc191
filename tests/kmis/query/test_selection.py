"""A selection, its address and its refusals. No database."""

from __future__ import annotations

from datetime import date
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kmis.catalogue import catalogue
from kmis.query import MESSAGES, Selection, SelectionError

DAYS = st.dates(date(2020, 1, 1), date(2030, 1, 1))
KEYS = st.from_regex(r"[A-Za-z0-9.\-]{0,8}", fullmatch=True)


@given(
    days=st.tuples(DAYS, DAYS).map(sorted),
    path=st.lists(st.tuples(st.sampled_from(["organisation", "doctor"]), KEYS), max_size=3),
    filters=st.dictionaries(st.sampled_from(["sex", "place"]), st.lists(KEYS, min_size=1, max_size=3)),
)
def test_address_gives_the_same_selection(
    days: list[date], path: list[tuple[str, str]], filters: dict[str, list[str]]
) -> None:
    chosen = Selection(days[0], days[1], tuple(path), {name: tuple(keys) for name, keys in filters.items()})
    read = Selection.from_query(parse_qsl(chosen.to_query(), keep_blank_values=True))
    assert read == chosen
    assert hash(read) == hash(chosen)


def test_period_that_ends_before_it_starts_is_a_field_error() -> None:
    with pytest.raises(SelectionError) as refused:
        Selection.from_query({"from": "2026-02-01", "to": "2026-01-31"})
    assert refused.value.errors == {"to": "selection.period_reversed"}
    with pytest.raises(SelectionError):
        Selection(date(2026, 2, 1), date(2026, 1, 31))


def test_dates_are_read_as_people_write_them() -> None:
    assert Selection.from_query({"from": "01.02.2026", "to": "28.02.2026"}).period_to == date(2026, 2, 28)
    with pytest.raises(SelectionError) as refused:
        Selection.from_query({"from": "31.02.2026", "to": ""})
    assert refused.value.errors == {"from": "selection.date_invalid", "to": "selection.period_required"}


def test_missing_ends_come_from_the_default() -> None:
    default = Selection(date(2026, 1, 1), date(2026, 1, 31))
    assert Selection.from_query({"f.sex": "F"}, default) == default.filtered("sex", "F")


@pytest.mark.parametrize(
    ("items", "errors"),
    [
        ([("path", "nothing:1")], {"path": "selection.dimension_unknown"}),
        ([("path", "organisation:abc")], {"path": "selection.key_invalid"}),
        ([("path", "organisation:1 or 1=1")], {"path": "selection.key_invalid"}),
        ([("f.iin", "1")], {"f.iin": "selection.filter_unknown"}),
        ([("f.sex", "X")], {"f.sex": "selection.key_invalid"}),
        ([("f.icd10_class", "870101300123")], {"f.icd10_class": "selection.key_invalid"}),
    ],
)
def test_unknown_names_and_keys_are_refused(items: list[tuple[str, str]], errors: dict[str, str]) -> None:
    chosen = Selection.from_query([("from", "2026-01-01"), ("to", "2026-01-31"), *items])
    with pytest.raises(SelectionError) as refused:
        chosen.checked(catalogue().product("DASH-01"), catalogue().dimensions)
    assert refused.value.errors == errors


def test_a_board_of_the_day_takes_one_day() -> None:
    chosen = Selection(date(2026, 1, 1), date(2026, 1, 2))
    with pytest.raises(SelectionError) as refused:
        chosen.checked(catalogue().product("LIVE-04"), catalogue().dimensions)
    assert refused.value.errors == {"to": "selection.one_day"}


def test_every_refusal_has_its_text_in_both_languages() -> None:
    from kmis.query import errors

    classes = [value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, Exception)]
    assert classes
    assert {refusal.key for refusal in classes} <= MESSAGES.keys()
    assert all(texts["kk"] and texts["ru"] and texts["kk"] != texts["ru"] for texts in MESSAGES.values())
