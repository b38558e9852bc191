"""The catalogue: what stands in it, and what it refuses."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from kmis.catalogue import LANGUAGES, CatalogueError, UnknownProduct, catalogue, load
from kmis.catalogue.docs import PASSPORT_FIELDS, dictionary, passport_lines
from kmis.catalogue.loader import PRODUCTS
from kmis.catalogue.models import Passport, Text

KAZAKH = re.compile("[әғқңөұүһіӘҒҚҢӨҰҮҺІ]")
LEVELS = [("region",), ("district",), ("organisation",), ("department", "site"), ("doctor",)]


def test_the_products_stand_with_their_drill_path() -> None:
    products = catalogue()
    listed = [product.id for product in products.products]
    assert {"DASH-01", "LIVE-04", "REP-01", "REP-02", "XLS-01", "XLS-02"} <= set(listed)
    assert {"DASH-07", "DASH-08", "LIVE-05", "REP-19", "XLS-19", "XLS-22"} <= set(listed)
    assert {"LIVE-01", "MAT-05", "MAT-10", "MAT-11", *(f"SIG-0{number}" for number in range(1, 7))} <= set(listed)
    assert listed == sorted(listed)
    # a pregnancy and a signal sheet belong to a site and never to a department
    levels = [LEVELS, [*LEVELS[:3], ("site",), ("doctor",)]]
    assert all(list(product.drill) in levels for product in products.products)
    with pytest.raises(UnknownProduct):
        products.product("DASH-99")


@pytest.mark.parametrize("product", catalogue().products, ids=lambda product: product.id)
def test_passports_are_whole_and_kazakh_is_kazakh(product: Any) -> None:
    assert set(PASSPORT_FIELDS) == set(Passport.model_fields)
    for language in LANGUAGES:
        lines = passport_lines(product.passport.text(language), language)
        assert all(title and text for title, text in lines)
    kazakh = " ".join(text for _, text in passport_lines(product.passport.kk, "kk"))
    russian = " ".join(text for _, text in passport_lines(product.passport.ru, "ru"))
    assert len(KAZAKH.findall(kazakh)) > 50
    assert not KAZAKH.search(russian.replace("ҚР ДСМ", ""))
    assert "verify" in product.act.source


def test_no_russian_text_holds_kazakh_letters_and_definitions_differ() -> None:
    for product in catalogue().products:
        for measure in product.measures:
            assert not KAZAKH.search(measure.titles.ru + measure.definition.ru)
            assert measure.definition.kk != measure.definition.ru, measure.name


@pytest.mark.requirement("XLS-02")
def test_the_list_unload_carries_what_its_requirement_names() -> None:
    names = {column.name for column in catalogue().product("XLS-02").columns}
    assert names >= {
        "region", "organisation", "iin", "full_name", "birth_date", "age_years", "sex", "age_group", "residence_region",
        "residence_district", "urban_rural", "attachment_organisation", "site", "site_doctor", "encounter_date",
        "diagnosis_date", "icd10_code", "icd10_name", "diagnosis_rank", "first_in_life_flag", "acute_or_chronic",
        "injury_flag", "injury_type", "chronic_group", "doctor", "specialty", "visit_reason", "financing_source",
        "visit_number",
    }  # fmt: skip


def test_directories_and_ids_are_texts_so_that_leading_zeros_stay() -> None:
    for product in catalogue().products:
        for column in (*product.cell_columns, *(c for source in product.sources for c in source.columns)):
            if column.name.endswith(("_code", "_kato", "_number")) or column.name in ("iin", "phone"):
                assert column.type == "code", column.name


def test_a_product_hides_itself_when_its_act_ends() -> None:
    product = catalogue().product("XLS-01").model_copy(update={"valid_to": date(2027, 1, 1)})
    assert product.valid_on(date(2026, 12, 31))
    assert not product.valid_on(date(2027, 1, 1))
    assert not product.valid_on(date(2020, 12, 31))


def test_dictionary_names_every_product_measure_and_column() -> None:
    text = dictionary(catalogue())
    for product in catalogue().products:
        assert f"## {product.id}. " in text
        assert all(f"| `{measure.name}` |" in text for measure in product.measures)
        assert all(f"| `{column.name}` |" in text for column in product.columns)


def _broken(folder: Path, change: Callable[[dict[str, Any]], None]) -> Path:
    """A folder with DASH-01 alone, changed."""
    document = yaml.safe_load((PRODUCTS / "dash_01.yml").read_text(encoding="utf-8"))
    change(document["exposures"][0])
    (folder / "dash_01.yml").write_text(yaml.safe_dump(document, allow_unicode=True), encoding="utf-8")
    return folder


def _product(exposure: dict[str, Any]) -> dict[str, Any]:
    product: dict[str, Any] = exposure["config"]["meta"]["product"]
    return product


FAULTS: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "no passport": (lambda e: _product(e).pop("passport"), "passport"),
    "no Kazakh passport": (lambda e: _product(e)["passport"].pop("kk"), "passport.kk"),
    "no Russian passport": (lambda e: _product(e)["passport"].pop("ru"), "passport.ru"),
    "an empty line of a passport": (lambda e: _product(e)["passport"]["kk"].update(age=" "), "passport.kk.age"),
    "no Kazakh title": (lambda e: _product(e)["titles"].pop("kk"), "titles.kk"),
    "no Russian header": (lambda e: _product(e)["measures"][0]["titles"].pop("ru"), "titles.ru"),
    "an unknown column": (lambda e: _product(e)["sources"][0]["columns"].append("nothing"), "unknown column nothing"),
    "an unknown fact": (lambda e: _product(e)["sources"][0].update(fact="nothing"), "unknown fact nothing"),
    "an unknown dimension": (lambda e: _product(e)["dimensions"].append("nothing"), "unknown dimension nothing"),
    "SQL for a column": (lambda e: _product(e)["measures"][2].update(column="1); drop table x"), "column"),
    "a double header": (lambda e: _product(e)["sources"][0]["columns"].append("iin"), "stands 2 times"),
    "a denominator that is not there": (
        lambda e: _product(e)["measures"][-1].update(denominator="nothing"),
        "nothing is not a plain measure",
    ),
    "a figure whose rows show nothing": (
        lambda e: next(m for m in _product(e)["measures"] if m["name"] == "attached_population").pop("hidden"),
        "the list of its rows has no column",
    ),
    "days of rows that do not last": (
        lambda e: _product(e)["measures"][0].update(kind="days"),
        "fact visit do not last",
    ),
    "a share divided": (
        lambda e: _product(e)["measures"][-1].update(numerator="visits_share"),
        "visits_share is not a plain measure",
    ),
    "lineage that lacks a table": (lambda e: e["depends_on"].remove("ref('fct_visit')"), "depends_on lacks fct_visit"),
    "an end before the start": (lambda e: _product(e).update(valid_to=date(2020, 1, 1)), "valid_to"),
    "no product": (lambda e: e["config"]["meta"].pop("product"), "no config.meta.product"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_faulty_product_does_not_build(tmp_path: Path, fault: str) -> None:
    change, expected = FAULTS[fault]

    def apply(exposure: dict[str, Any]) -> None:
        change(exposure)

    with pytest.raises(CatalogueError) as refused:
        load(_broken(tmp_path, apply))
    assert expected in str(refused.value)


def test_an_id_stands_once(tmp_path: Path) -> None:
    for name in ("one.yml", "two.yml"):
        (tmp_path / name).write_text((PRODUCTS / "dash_01.yml").read_text(encoding="utf-8"), encoding="utf-8")
    with pytest.raises(CatalogueError, match="the id stands 2 times"):
        load(tmp_path)


def test_texts_know_their_language() -> None:
    assert Text(kk="Ұйым", ru="Организация").text("kk") == "Ұйым"
