"""Search in the directories: codes, words of three languages, layouts, typing mistakes, ranking, the index."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.orm import Session

from operational.domains.catalogs import repository, service
from operational.domains.catalogs.models import Icd10
from operational.domains.catalogs.reading import read_icd10

TODAY = date(2026, 11, 24)


@pytest.mark.requirement("STD-03")
@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("J06.9", "J06.9"),
        ("j069", "J06.9"),
        ("J06", "J06"),
        ("А09", "A09"),
        ("холера", "A00"),
        ("cholera", "A00"),
        ("гипертония", "I10"),
        ("орви", "J06.9"),
        ("жрви", "J06.9"),
        ("қант диабеті 2", "E11.9"),
        ("артериялык гипертензия", "I10"),
        ("[jkthf", "A00"),
        ("бронхит", "J20"),
        ("эссенциальная гипертензия", "I10"),
        ("пневманния", "J12"),
    ],
)
def test_icd10_finds_first(directories: Session, typed: str, first: str) -> None:
    assert service.search_icd10(directories, typed)[0].code == first


def test_an_exact_code_stands_before_its_parts(directories: Session) -> None:
    codes = [found.code for found in service.search_icd10(directories, "E11")]
    assert codes[0] == "E11"
    assert codes[1] == "E11.9"  # the frequent one before the others


def test_blocks_and_chapters_are_not_offered_for_a_diagnosis(directories: Session) -> None:
    found = service.search_icd10(directories, "кишечные инфекции", limit=50)
    assert {entry.level for entry in found} <= set(repository.CODABLE)
    with pytest.raises(service.UnknownCode):
        service.icd10(directories, "A00-A09")
    with pytest.raises(service.UnknownCode):
        service.icd10(directories, "J99.99")


def test_a_missing_kazakh_name_is_shown_in_russian_and_marked(directories: Session) -> None:
    found = service.icd10(directories, "J06.9")
    assert found.untranslated_flag
    assert found.name("kk") == found.name_ru
    service_found = service.search_services(directories, "терапевт", TODAY)[0]
    assert not service_found.untranslated_flag
    assert service_found.name("kk") != service_found.name_ru


def test_services_carry_the_tariff_of_the_day(directories: Session) -> None:
    new = service.search_services(directories, "LAB-001", TODAY)[0]
    old = service.search_services(directories, "LAB-001", date(2025, 5, 5))[0]
    assert new.tariff_kzt is not None and old.tariff_kzt is not None
    assert new.tariff_kzt > old.tariff_kzt
    assert service.search_services(directories, "ЭКГ", TODAY)[0].code == "FUN-001"


def test_services_are_narrowed_by_class(directories: Session) -> None:
    found = service.search_services(directories, "терапевт", TODAY, class_codes=["home_visit"])
    assert {entry.class_code for entry in found} == {"home_visit"}


def test_medicines_and_operations_are_found(directories: Session) -> None:
    assert service.search_medicines(directories, "амоксициллин")[0].code == "J01CA04"
    assert service.search_medicines(directories, "amoxicillin")[0].code == "J01CA04"
    assert service.search_operations(directories, "аппендэктомия")


@pytest.mark.parametrize("typed", ["", "   ", "%", "_", "'", "\\", "а" * 200])
def test_odd_texts_are_harmless(directories: Session, typed: str) -> None:
    service.search_icd10(directories, typed)
    for code in ("icd10", "kato", "visit_reason", "service_tariff"):
        service.entries(directories, code, typed, 5, 0)


def test_search_by_words_uses_the_trigram_index(directories: Session, loaded: Connection) -> None:
    pattern = read_icd10("гипертензия").tiers[0].readings[0].like_patterns()[0]
    plan = "\n".join(
        row[0]
        for row in loaded.execute(
            text("explain select code from icd10 where active and search_key like :pattern"), {"pattern": pattern}
        )
    )
    assert "ix_icd10_search_key" in plan


def test_pages_of_a_directory_are_apart_and_counted(directories: Session) -> None:
    first, total = service.entries(directories, "icd10", "диабет", 10, 0)
    second, _ = service.entries(directories, "icd10", "диабет", 10, 10)
    assert total > 20
    assert not {entry.code for entry in first} & {entry.code for entry in second}
    listed, everything = service.entries(directories, "icd10", "", 25, 0)
    assert len(listed) == 25
    assert everything == repository.table_count(directories, Icd10)


def test_small_directories_keep_their_order_and_refuse_unknown_codes(directories: Session) -> None:
    values = service.values(directories, "financing_source")
    assert [value.code for value in values][:2] == ["gobmp", "osms"]
    assert service.choices(directories, "sex_unknown", "kk") == []
    service.check_value(directories, "visit_reason", "screening", "visit_reason")
    with pytest.raises(service.UnknownCode):
        service.check_value(directories, "visit_reason", "nothing", "visit_reason")
