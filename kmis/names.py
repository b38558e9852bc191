"""People's names: the key that search compares, the key that lists sort by, and how a typed text is read.

``name_key`` brings every spelling of a name to one skeleton: Kazakh letters folded to their Russian
neighbours, Cyrillic and every Latin spelling (the Kazakh alphabets of 2018 and 2021, passport
transliteration) to the same ASCII letters, doubled letters to one. ``read_query`` reads what a user typed
into word beginnings, and also in the other keyboard layout. The skeleton is ASCII because ``pg_trgm`` finds
no trigrams in Cyrillic on a server whose character type is ``C``.

Sources: the alphabet table of Decree No. 569 of 26.10.2017 as amended on 19.02.2018 (2018), the project of
2021, and the transliteration used in passports (from general knowledge; verify). Keyboard: the standard
Kazakh layout.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

# --- the skeleton ---------------------------------------------------------------------------------


def _pairs(*rows: str) -> dict[str, str]:
    return dict(pair.split("=", 1) for row in rows for pair in row.split())


# Each row is a run of "letter=skeleton" pairs.
_CYRILLIC: Final = _pairs(
    "а=a ә=a б=b в=v г=g ғ=g ґ=g д=d е=e є=e э=e ж=j з=z и=i і=i ы=i к=k қ=k л=l м=m н=n ң=n о=o ө=o п=p",
    "р=r с=s т=t у=u ұ=u ү=u ф=f х=h һ=h ц=ts ч=c ш=w щ=wc ъ= ь= ю=iu я=ia",
)
# ч and ш are single letters here (c, w), so that the beginning of a name stays the beginning of its key.
_LATIN: Final = _pairs(
    "shch=wc sch=w sh=w ch=c zh=j kh=h gh=g ph=f ck=k tz=ts ye=e yo=e ce=se ci=si cy=si c=k q=k w=v x=ks y=i",
)
# Letters whose mark carries the sound; any other mark is dropped by decomposition.
_MARKED: Final = str.maketrans(
    _pairs("ş=sh š=sh ś=sh ç=ch č=ch ž=zh ý=u ı=i ŋ=n ə=a ß=ss æ=e ø=o ł=l đ=d"),
)
_PIECE: Final = re.compile("|".join(sorted(_LATIN, key=len, reverse=True)) + "|.", re.DOTALL)
_WORD_BREAK: Final = re.compile(r"[\s.,;:/\\()\[\]«»\"_–—-]+")
# A patronymic written as two words («Серік ұлы») is the same name as the one written as one.
_PATRONYMIC_WORDS: Final = frozenset({"uli", "kizi", "uglu", "oglu", "ogli"})


def fold(word: str) -> str:
    """The skeleton of one word: lower-case ASCII letters and digits."""
    lowered = unicodedata.normalize("NFC", word).lower().translate(_MARKED)
    bare = "".join(c for c in unicodedata.normalize("NFD", lowered) if not unicodedata.combining(c))
    letters = "".join(_CYRILLIC.get(piece, _LATIN.get(piece, piece)) for piece in _PIECE.findall(bare))
    return _single("".join(c for c in letters if c.isascii() and c.isalnum()))


def _single(letters: str) -> str:
    return "".join(letter for letter, _ in groupby(letters))


def fold_words(text: str) -> tuple[str, ...]:
    """The skeletons of the words of ``text``."""
    words: list[str] = []
    for raw in _WORD_BREAK.split(text):
        word = fold(raw)
        if word in _PATRONYMIC_WORDS and words:
            words[-1] = _single(words[-1] + word)
        elif word:
            words.append(word)
    return tuple(words)


def name_key(
    surname: str | None,
    given_name: str | None = None,
    patronymic: str | None = None,
    earlier_surnames: Iterable[str] = (),
) -> str:
    """The key stored with a person: the folded words, each after a blank, earlier surnames last."""
    parts = (surname, given_name, patronymic, *earlier_surnames)
    return "".join(f" {word}" for part in parts if part for word in fold_words(part))


# --- order ----------------------------------------------------------------------------------------

# The code points of а…я stand in alphabetical order; a letter that Kazakh (or ё) adds becomes its neighbour
# and a character above every Cyrillic letter, so it follows all words that go on after the neighbour.
_AFTER: Final = "\u04ff"
_ORDER: Final = str.maketrans(
    {
        "ә": "а" + _AFTER, "ғ": "г" + _AFTER, "ё": "е" + _AFTER, "қ": "к" + _AFTER, "ң": "н" + _AFTER,
        "ө": "о" + _AFTER, "ұ": "у" + _AFTER, "ү": "у" + _AFTER * 2, "һ": "х" + _AFTER, "і": "ы" + _AFTER,
    }
)  # fmt: skip
ALPHABET: Final = "аәбвгғдеёжзийкқлмнңоөпрстуұүфхһцчшщъыіьэюя"


def sort_key(*parts: str | None) -> str:
    """Text that the C collation sorts by the Kazakh alphabet of 42 letters, the Russian ones among them.

    Latin words stand before Cyrillic ones; case and surrounding blanks do not count.
    """
    words = (unicodedata.normalize("NFC", part).lower().split() for part in parts if part)
    return " ".join(" ".join(word) for word in words if word).translate(_ORDER)


# --- keyboard layouts -----------------------------------------------------------------------------

_EN_KEYS: Final = "qwertyuiop[]asdfghjkl;'zxcvbnm,./`"
_RU_KEYS: Final = "йцукенгшщзхъфывапролджэячсмитьбю.ё"
_DIGIT_KEYS: Final = "234589" + "0-="
_KK_DIGIT_ROW: Final = "әіңғүұ" + "қөһ"
_EN_SHIFTED: Final = 'QWERTYUIOP{}ASDFGHJKL:"ZXCVBNM<>~@#$%*()_+'
_RU_SHIFTED: Final = "ЙЦУКЕНГШЩЗХЪФЫВАПРОЛДЖЭЯЧСМИТЬБЮЁӘІҢҒҮҰҚӨҺ"
_TO_CYRILLIC: Final = str.maketrans(_EN_KEYS + _DIGIT_KEYS + _EN_SHIFTED, _RU_KEYS + _KK_DIGIT_ROW + _RU_SHIFTED)
_TO_LATIN: Final = str.maketrans(_RU_KEYS + _RU_KEYS.upper(), _EN_KEYS + _EN_KEYS.upper())
_ROW_LETTERS: Final = str.maketrans(_KK_DIGIT_ROW + _KK_DIGIT_ROW.upper(), _DIGIT_KEYS * 2)
_ROW_SIGNS: Final = str.maketrans('"!,;.:', "116677")


def digits_of_kazakh_row(text: str) -> str:
    """For number and scanner fields: the digits meant by what the digit row gives in the Kazakh layout.

    The row gives " ә і ң ғ , . ү ұ қ ө һ for 1 2 3 4 5 6 7 8 9 0 - =. The signs are read as digits only
    where no digit was typed: a layout that gives digits gives a full stop as a full stop.
    """
    signs_are_digits = not any(c.isdigit() for c in text)
    letters = text.translate(_ROW_LETTERS)
    return letters.translate(_ROW_SIGNS) if signs_are_digits else letters


def in_other_layout(text: str) -> str | None:
    """What the same keys give in the other layout: Latin, or Kazakh and Russian.

    None when the text mixes both scripts or has no letter of either.
    """
    has_cyrillic = any("\u0400" <= c <= "\u04ff" for c in text)
    has_latin = any("a" <= c <= "z" for c in text.lower())
    if has_cyrillic == has_latin:
        return None
    return text.translate(_TO_LATIN if has_cyrillic else _TO_CYRILLIC)


# --- reading a typed name -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class NameQuery:
    """Word beginnings, each of which must begin a different word of a stored key."""

    words: tuple[str, ...]

    def like_patterns(self) -> tuple[str, ...]:
        """Patterns for SQL LIKE that a stored key must all match; they ask exactly what ``matches`` asks.

        Words that begin with a given text are nested or apart, so different words exist for all beginnings
        when for each beginning as many words of the key begin with it as beginnings do.
        """
        needed = {word: sum(other.startswith(word) for other in self.words) for word in self.words}
        return tuple("%" + f" {word}%" * times for word, times in needed.items())

    def matches(self, key: str) -> bool:
        """Whether a stored ``name_key`` satisfies the query (the same answer as the SQL)."""
        stored = key.split()
        return bool(self.words) and all(
            sum(candidate.startswith(word) for candidate in stored)
            >= sum(other.startswith(word) for other in self.words)
            for word in self.words
        )


@dataclass(frozen=True, slots=True)
class QueryTier:
    """Readings of equal rank: a key matches the tier when it matches any of them."""

    layout_changed_flag: bool
    readings: tuple[NameQuery, ...]

    def matches(self, key: str) -> bool:
        """Whether any reading matches."""
        return any(reading.matches(key) for reading in self.readings)


def read_query(text: str) -> tuple[QueryTier, ...]:
    """The tiers to try in turn: as typed, then in the other keyboard layout."""
    tiers = [QueryTier(False, _readings(text))]
    other = in_other_layout(text.strip())
    if other is not None:
        tiers.append(QueryTier(True, _readings(other)))
    return tuple(tier for tier in tiers if tier.readings)


def name_matches(text: str, key: str) -> bool:
    """Whether typed ``text`` finds ``key`` in either layout, without the fuzzy comparison of the database."""
    return any(tier.matches(key) for tier in read_query(text))


# A spelling that one Latin alphabet writes and another does not; tried beside the plain reading, on the
# typed side only, so that the stored key keeps its beginnings.
_ALTERNATIVE_SPELLINGS: Final = (("ie", "e"), ("ng", "n"), ("dj", "j"), ("uv", "u"), ("iu", "u"))


def _readings(text: str) -> tuple[NameQuery, ...]:
    text = _split_initials(text)
    plain = fold_words(text)
    found = [plain, fold_words(text.lower().replace("ye", "ie").replace("yo", "io"))]
    for spelling, other in _ALTERNATIVE_SPELLINGS:
        found.append(tuple(word.replace(spelling, other) for word in plain))
    return tuple(NameQuery(words) for words in dict.fromkeys(found) if words)


def _split_initials(text: str) -> str:
    """«Иванов ИИ» means «Иванов И. И.»; a text wholly in capitals is left alone."""
    words = text.split()
    if text.isupper() or not words:
        return text
    return " ".join(". ".join(word) if _are_initials(word, words) else word for word in words)


def _are_initials(word: str, words: Sequence[str]) -> bool:
    return len(words) > 1 and len(word) == 2 and word.isalpha() and word.isupper()
