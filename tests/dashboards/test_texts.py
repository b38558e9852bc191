"""Every text in both languages, every key that the code uses, and no key that it does not."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from dashboards import formats
from dashboards.address import DAY_PRESETS, RANGE_PRESETS
from dashboards.pages.home import KINDS
from dashboards.refusals import REFUSALS, refusal_page
from dashboards.texts import Texts, all_texts
from kmis.catalogue.models import Passport
from kmis.query import MESSAGES

ROOT = Path(formats.__file__).parent
KAZAKH = set("әғқңөұүһіӘҒҚҢӨҰҮҺІ")
COMPUTED = (
    {f"passport.{field}" for field in Passport.model_fields}
    | {f"kind.{kind}" for kind in KINDS}
    | {f"period.{preset}" for preset in (*RANGE_PRESETS, *DAY_PRESETS)}
    | {f"period.{end}" for end in ("from", "to")}
    | {f"trend.{step}" for step in ("day", "month", "year")}
    | {f"state.{state}" for state in ("ok", "different", "unknown")}
    | {f"attention.{state}" for state in ("attention", "critical")}
)


def _used() -> set[str]:
    source = "\n".join(file.read_text(encoding="utf-8") for file in ROOT.rglob("*.py"))
    calls = re.findall(r"\b(?:texts|view\.texts)\(\s*[\"']([a-z_.]+)[\"']", source)
    branches = re.findall(r"\"([a-z_]+\.[a-z_]+)\" (?:if|else)|(?:else) \"([a-z_]+\.[a-z_]+)\"", source)
    refusals = re.findall(r"UnloadRefused\(\"([a-z_.]+)\"\)", source)
    found = {*calls, *refusals, *(part for pair in branches for part in pair if part)}
    return (found | COMPUTED) - set(MESSAGES)


def test_every_text_stands_in_both_languages_and_with_the_same_gaps() -> None:
    for key, text in all_texts().items():
        assert set(text) == {"kk", "ru"} and all(part.strip() for part in text.values()), key
        gaps = {language: sorted(re.findall(r"\{(\w+)\}", part)) for language, part in text.items()}
        assert gaps["kk"] == gaps["ru"], key


def test_no_key_is_missing_and_none_is_left_over() -> None:
    known = set(all_texts()) - set(MESSAGES)
    assert _used() - known == set()
    assert known - _used() == set()


def test_kazakh_texts_are_kazakh() -> None:
    longer = [t["kk"] for k, t in all_texts().items() if len(t["kk"]) > 25 and k not in MESSAGES]
    assert longer and all(set(text) & KAZAKH for text in longer)


def test_russian_texts_hold_no_kazakh_letters() -> None:
    assert [key for key, text in all_texts().items() if set(text["ru"]) & KAZAKH] == []


@pytest.mark.parametrize("refusal", REFUSALS, ids=lambda refusal: refusal.reason)
def test_a_refusal_speaks_both_languages_and_escapes_the_host(refusal: object) -> None:
    page = refusal_page(refusal, 'http://"><script>:8000/').decode()
    assert refusal.text_kk in page and refusal.text_ru in page and "<script>" not in page


def test_numbers_have_thin_spaces_and_a_comma() -> None:
    assert formats.number(1234567) == "1\u202f234\u202f567"
    assert formats.number(12.345, 2) == "12,35"
    assert formats.number(0.5) == "1"
    assert formats.number(None) == "—" and formats.number(float("nan")) == "—"


def test_names_cannot_be_read_as_markup() -> None:
    assert formats.plain("Участок: №1") == "Участок: №1"
    assert formats.plain("a *b* [c](d) :red[x] $y$ <z>") == (r"a \*b\* \[c\](d) \:red\[x\] \$y\$ \<z\>")


def test_ages_use_the_unit_that_reads_best() -> None:
    texts = Texts("ru")
    assert [formats.age(s, texts) for s in (-1, 12, 600, 7200, 300_000)] == [
        "0 с назад",
        "12 с назад",
        "10 мин назад",
        "2 ч назад",
        "3 дн назад",
    ]
