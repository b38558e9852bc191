"""Names: every spelling finds its person, another person stays away, lists follow the Kazakh alphabet."""

import random
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kmis import names

Person = tuple[str, str | None, str | None] | tuple[str, str | None, str | None, tuple[str, ...]]

OMIRBEK: Person = ("Өмірбек", "Әлия", "Серікқызы")
IVANOV: Person = ("Иванов", "Иван", "Игоревич")
JUMABAEV: Person = ("Жұмабаев", "Нұрсұлтан", "Қайратұлы")
SHCHERBAKOVA: Person = ("Щербакова", "Юлия", "Геннадьевна")
HASENOV: Person = ("Хасенов", "Ғабит", None)
MARRIED: Person = ("Ермекова", "Гүлнар", "Бақытқызы", ("Төлегенова", "Ким"))
TOKAEV: Person = ("Тоқаев", "Қасым-Жомарт", "Кемелұлы")
SOLOVYOV: Person = ("Соловьёв", "Фёдор", "Андреевич")
FOREIGNER: Person = ("Müller", "Jürgen", None)
UZBEK: Person = ("Yo'ldoshev", "Javohir", None)
MUHAMED: Person = ("Мұхаммедияров", "Шыңғыс", "Жәңгірұлы")
AIGUL: Person = ("Қыдырәлиева", "Айгүл", "Ыбырайымқызы")
AHMETOV: Person = ("Ахметов", "Нұрлан", "Серік ұлы")
ERLAN: Person = ("Ерланов", "Ержан", "Ерболұлы")
TSOI: Person = ("Цой", "Виктор", "Робертович")
DMITRY: Person = ("Высоцкий", "Дмитрий", "Юрьевич")

FOUND: list[tuple[str, Person]] = [
    # Kazakh letters and their Russian neighbours, both ways
    ("Алия", OMIRBEK),
    ("Әлия", OMIRBEK),
    ("Омирбек", OMIRBEK),
    ("Өмірбек", OMIRBEK),
    ("ӨМІРБЕК ӘЛИЯ", OMIRBEK),
    ("омирбек алия", OMIRBEK),
    ("Әлия Өмірбек", OMIRBEK),
    ("Жумабаев", JUMABAEV),
    ("Жұмабаев Нурсултан", JUMABAEV),
    ("Габит", HASENOV),
    ("Ғабит Хасенов", HASENOV),
    ("Токаев Касым-Жомарт", TOKAEV),
    ("Жомарт Тоқаев", TOKAEV),
    ("Шынгыс Мухаммедияров", MUHAMED),
    ("Мухамедияров", MUHAMED),
    ("Кыдыралиева", AIGUL),
    ("Айгуль", AIGUL),
    ("Соловьев Федор", SOLOVYOV),
    ("Соловьёв Фёдор", SOLOVYOV),
    # beginnings of words, as in type-ahead
    ("Өм", OMIRBEK),
    ("ом ал", OMIRBEK),
    ("Щерб Ю", SHCHERBAKOVA),
    ("жұма нұр қай", JUMABAEV),
    # missing patronymic on either side
    ("Иванов Иван", IVANOV),
    ("Хасенов Ғабит", HASENOV),
    ("Щербакова Юлия", SHCHERBAKOVA),
    ("Иванов Игоревич", IVANOV),
    # initials
    ("Иванов И.И.", IVANOV),
    ("Иванов И. И.", IVANOV),
    ("И.И. Иванов", IVANOV),
    ("Иванов ИИ", IVANOV),
    ("Жұмабаев Н.Қ.", JUMABAEV),
    ("Жумабаев Н К", JUMABAEV),
    ("Ерланов Е.Е.", ERLAN),
    ("Щербакова Ю.Г.", SHCHERBAKOVA),
    ("Ә. Өмірбек", OMIRBEK),
    # earlier surnames
    ("Төлегенова", MARRIED),
    ("Толегенова Гульнар", MARRIED),
    ("Ким Гүлнар", MARRIED),
    ("Ермекова Г.Б.", MARRIED),
    # Latin: passport, Kazakh 2018 and 2021
    ("Nursultan", JUMABAEV),
    ("Zhumabayev", JUMABAEV),
    ("Jumabaev Nursultan", JUMABAEV),
    ("Jumabaev Nursultan Qairatuly", JUMABAEV),
    ("Jūmabaev Nūrsūltan Qairatūly", JUMABAEV),
    ("Aliya", OMIRBEK),
    ("Álıa Ómirbek", OMIRBEK),
    ("Äliia Ömırbek", OMIRBEK),
    ("Aigul Kydyralieva", AIGUL),
    ("Aıgúl Qydyráliev", AIGUL),
    ("Aigül Qydyraliyeva", AIGUL),
    ("Shynggys", MUHAMED),
    ("Şyñğys Muhammediarov", MUHAMED),
    ("Shyńǵys", MUHAMED),
    ("Gabit Khassenov", HASENOV),
    ("Ğabit Hasenov", HASENOV),
    ("Shcherbakova Yuliya", SHCHERBAKOVA),
    ("Iuliia Shcherbakova", SHCHERBAKOVA),
    ("Kassym-Jomart Tokayev", TOKAEV),
    ("Qasym-Jomart Toqaev", TOKAEV),
    ("Fyodor Solovyov", SOLOVYOV),
    ("Fedor Solovyev", SOLOVYOV),
    ("Yerlanov Yerzhan", ERLAN),
    ("Erlanov Erjan", ERLAN),
    ("Tsoi Viktor", TSOI),
    ("Tsoy V.", TSOI),
    ("Vysotskiy Dmitry", DMITRY),
    ("Vysotsky Dmitrii", DMITRY),
    # a stored Latin name looked for in Cyrillic and without its marks
    ("Muller Jurgen", FOREIGNER),
    ("Муллер", FOREIGNER),
    ("Yoldoshev", UZBEK),
    # a patronymic in two words and in one
    ("Ахметов Нұрлан Серікұлы", AHMETOV),
    ("Ахметов Серік ұлы", AHMETOV),
    ("Әлия Серік қызы", OMIRBEK),
    # the wrong keyboard layout
    ("Bdfyjd", IVANOV),
    ("bdfyjd bdfy", IVANOV),
    ("Bdfyjd B/B/", IVANOV),
    ("0v3h,tr", ("Қмірбек", None, None)),
    ("-v3h,tr", OMIRBEK),
    ("2kbz", OMIRBEK),
    ("_v#h,tr @kbz", OMIRBEK),
    (":9vf,ftd Y9hc9knfy", JUMABAEV),
    ("Of,bn", ("Щабит", None, None)),
    ("%f,bn", HASENOV),
    ("Oth,frjdf >kbz", SHCHERBAKOVA),
    ("Тгкыгдефт", JUMABAEV),
    ("Огьфифум", JUMABAEV),
    ("Фднф", ("Омарова", "Alya", None)),
    ("Eregbc", ("Укупис", None, None)),
]

NOT_FOUND: list[tuple[str, Person]] = [
    ("Иванова", IVANOV),
    ("Иван Иван Иван", IVANOV),
    ("Иванов И.И.И.И.", IVANOV),
    ("Иванов С.", IVANOV),
    ("Өмірбекова", OMIRBEK),
    ("Әлия Әлия", OMIRBEK),
    ("Хасанов", HASENOV),
    ("мірбек", OMIRBEK),
    ("Төлегенова Айгүл", MARRIED),
    ("Bdfyjd Gtnh", IVANOV),
    ("", IVANOV),
    ("  .. ", IVANOV),
]


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
    by_like = all(
        re.fullmatch(pattern.replace("%", ".*"), key) is not None for pattern in query.like_patterns()
    )
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


ALPHABET = list(
    "А Ә Б В Г Ғ Д Е Ё Ж З И Й К Қ Л М Н Ң О Ө П Р С Т У Ұ Ү Ф Х Һ Ц Ч Ш Щ Ъ Ы І Ь Э Ю Я".replace(" ", "")
)


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
