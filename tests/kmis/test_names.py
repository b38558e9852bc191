"""Names: every spelling finds its person, another person stays away, lists follow the Kazakh alphabet."""

import random
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kmis import names
from tests.kmis.name_pairs import FOUND, MARRIED, NOT_FOUND, Person


def _key(person: Person) -> str:
    return names.name_key(*person)


@pytest.mark.requirement("REG-02")
@pytest.mark.parametrize(("typed", "person"), FOUND, ids=[typed for typed, _ in FOUND])
def test_found(typed: str, person: Person) -> None:
    assert names.name_matches(typed, _key(person))


@pytest.mark.parametrize(("typed", "person"), NOT_FOUND, ids=[typed or "empty" for typed, _ in NOT_FOUND])
def test_not_found(typed: str, person: Person) -> None:
    assert not names.name_matches(typed, _key(person))


def test_at_least_sixty_pairs() -> None:
    assert len(FOUND) >= 60


def test_the_other_layout_comes_after_what_was_typed() -> None:
    first, second = names.read_query("Bdfyjd")
    assert (first.layout_changed_flag, second.layout_changed_flag) == (False, True)
    assert second.readings[0].words == ("ivanov",)
    assert names.in_other_layout("Иван Smith") is None
    assert names.in_other_layout("12") is None


def test_key_holds_earlier_surnames_last() -> None:
    assert _key(MARRIED) == " ermekova gulnar bakitkizi tolegenova kim"
    assert names.name_key(None) == ""


_words = st.text(alphabet="абвЁһәМ", min_size=1, max_size=4)


@given(st.lists(_words, min_size=1, max_size=4), st.lists(_words, min_size=1, max_size=4))
def test_like_patterns_ask_what_matches_asks(typed: list[str], stored: list[str]) -> None:
    query = names.NameQuery(names.fold_words(" ".join(typed)))
    key = names.name_key(" ".join(stored))
    by_like = all(re.fullmatch(pattern.replace("%", ".*"), key) is not None for pattern in query.like_patterns())
    assert by_like == query.matches(key)


@given(st.text(max_size=40))
def test_skeleton_is_ascii_and_stable(text: str) -> None:
    key = names.name_key(text)
    assert key.isascii()
    assert names.name_key(key) in (key, names.name_key(names.name_key(key)))
    names.read_query(text)


@pytest.mark.parametrize(
    ("typed", "digits"),
    [
        ('"әіңғ,.үұқ', "1234567890"),
        ("!ӘІҢҒ;:ҮҰҚ", "1234567890"),
        ('+. ққ"', "+7 001"),
        ("87011234567", "87011234567"),
        ("ү 701", "8 701"),
        ("12.05.1990", "12.05.1990"),
        ('қ"ө1', '0"-1'),
    ],
)
def test_digit_row_of_the_kazakh_layout(typed: str, digits: str) -> None:
    assert names.digits_of_kazakh_row(typed) == digits


ALPHABET = list("А Ә Б В Г Ғ Д Е Ё Ж З И Й К Қ Л М Н Ң О Ө П Р С Т У Ұ Ү Ф Х Һ Ц Ч Ш Щ Ъ Ы І Ь Э Ю Я".replace(" ", ""))


def test_alphabet_has_42_letters_in_order() -> None:
    assert len(ALPHABET) == len(names.ALPHABET) == 42
    shuffled = random.Random(1).sample(ALPHABET, 42)
    assert sorted(shuffled, key=names.sort_key) == ALPHABET
    assert "".join(ALPHABET).lower() == names.ALPHABET


@given(st.lists(st.text(alphabet=names.ALPHABET, min_size=1, max_size=6), min_size=2, max_size=6))
def test_sort_key_orders_as_the_alphabet_does(words: list[str]) -> None:
    by_alphabet = sorted(words, key=lambda word: [names.ALPHABET.index(c) for c in word])
    assert sorted(words, key=lambda word: names.sort_key(word).encode()) == by_alphabet


def test_sort_key_compares_surname_before_given_name() -> None:
    people = [
        ("Алиев", "Ярослав"),
        ("Алиева", "Айгүл"),
        ("Әлиев", "Асан"),
        ("Али", "Асан"),
        ("Smith", "John"),
    ]
    ordered = sorted(people, key=lambda person: names.sort_key(*person))
    assert [surname for surname, _ in ordered] == ["Smith", "Али", "Алиев", "Алиева", "Әлиев"]
    assert names.sort_key(" Али ", None, "") == "али"
