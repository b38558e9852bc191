"""The files that directories are loaded from: own lists beside this module, reference data in ``reference/``.

Every file names the source of each row; see ``reference/PROVENANCE.md``.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal

from kmis.names import fold_words

OWN_DATA = Path(__file__).resolve().parent / "data"
REFERENCE = Path(__file__).resolve().parents[3] / "reference"

Status = Literal["official", "draft", "own"]
STATUSES: Final[tuple[Status, ...]] = ("official", "draft", "own")
Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Edition:
    """One edition of a directory: what stands on the directories page."""

    code: str
    title_kk: str
    title_ru: str
    status: Status
    version: str
    source: str
    valid_from: date


def read(path: Path) -> Iterator[dict[str, str]]:
    """The rows of a CSV file with a header."""
    with path.open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def editions() -> list[Edition]:
    """The editions that come with the system."""
    return [
        Edition(
            row["code"], row["title_kk"], row["title_ru"], status(row["status"]), row["version"], row["source"],
            date.fromisoformat(row["valid_from"]),
        )
        for row in read(OWN_DATA / "directories.csv")
    ]  # fmt: skip


def status(text: str) -> Status:
    """The text as a status. Raises ValueError."""
    for known in STATUSES:
        if text == known:
            return known
    raise ValueError("the status of a directory is official, draft or own")


def search_key(code: str, *names: str | None) -> str:
    """What search compares: the code and the words of all names, folded, each after a blank and once."""
    words = [
        *fold_words(code.replace(".", "")),
        *(word for name in names if name for word in fold_words(name)),
    ]
    return "".join(f" {word}" for word in dict.fromkeys(words))


@cache
def icd10_words() -> dict[str, tuple[int, str]]:
    """By code: how frequent it is in outpatient care (1 the most) and everyday words that search knows it by."""
    return {
        row["code"]: (number, f"{row['words_ru']} {row['words_kk']}")
        for number, row in enumerate(read(OWN_DATA / "icd10_frequent.csv"), 1)
    }


@cache
def kinds(directory_code: str) -> dict[str, str]:
    """The group of each entry of a small directory: of ``visit_reason`` disease, preventive or other."""
    return {
        row["code"]: row["kind"]
        for row in read(OWN_DATA / "coded_values.csv")
        if row["directory_code"] == directory_code
    }


def icd10_rows(valid_from: date) -> list[Row]:
    """code, level, parent_code, name_ru, name_en, name_kk, search_key, active, valid_from."""
    frequent = icd10_words()
    rows: list[Row] = []
    for row in read(REFERENCE / "icd10.csv"):
        code, name_kk = row["code"], row["name_kk_unverified"] or None
        everyday = frequent[code][1] if code in frequent else None
        name_ru = row["name_ru"].capitalize() if row["name_ru"].isupper() else row["name_ru"]
        key = search_key(code, row["name_ru"], name_kk, row["name_en"], everyday)
        rows.append(
            (code, row["level"], row["parent_code"] or None, name_ru, row["name_en"] or None, name_kk, key,
             row["active"] == "1", valid_from)
        )  # fmt: skip
    return rows


def kato_rows() -> list[Row]:
    """code, level, parent_code, name_ru, name_kk, draft.

    A territory whose code no source gives gets ``T``, five digits of its district and a number: nobody can take
    it for a code of the classifier.
    """
    names_kk = {(r["parent_kato"], r["name_ru"]): r["name_kk"] for r in read(OWN_DATA / "kato_names_kk.csv")}
    rows: list[Row] = [
        (r["kato_code"], r["level"], r["parent_kato"] or None, r["name_ru"], r["name_kk"] or None, False)
        for r in read(REFERENCE / "kato_regions_districts.csv")
    ]
    numbers: dict[str, int] = {}
    for r in read(REFERENCE / "kato_wko_rural_okrugs.csv"):
        parent = r["parent_kato"]
        numbers[parent] = numbers.get(parent, 0) + 1
        code = r["kato_code"] or f"T{parent[:5]}{numbers[parent]:03d}"
        name_kk = r["name_kk"] or names_kk.get((parent, r["name_ru"]))
        rows.append((code, r["level"], parent, r["name_ru"], name_kk, not r["kato_code"]))
    return rows


def medicine_rows() -> list[Row]:
    """atc_code, inn_ru, name_kk, name_en, search_key, active; the first row of a code counts."""
    rows: dict[str, Row] = {}
    for r in read(REFERENCE / "medicines_inn.csv"):
        key = search_key(r["atc_code"], r["inn_ru"], r["atc_name_en"])
        rows.setdefault(r["atc_code"], (r["atc_code"], r["inn_ru"], None, r["atc_name_en"] or None, key, True))
    return list(rows.values())


def service_rows(valid_from: date) -> list[Row]:
    """code, name_kk, name_ru, class_code, unit, search_key, active, valid_from."""
    return [
        (r["code"], r["name_kk"], r["name_ru"], r["class_code"], r["unit"],
         search_key(r["code"], r["name_ru"], r["name_kk"]), True, valid_from)
        for r in read(OWN_DATA / "services.csv")
    ]  # fmt: skip


def tariff_rows() -> list[Row]:
    """service_code, amount in tenge, valid_from, valid_to (not included)."""
    return [
        (r["service_code"], r["amount_kzt"], date.fromisoformat(r["valid_from"]),
         date.fromisoformat(r["valid_to"]) if r["valid_to"] else None)
        for r in read(OWN_DATA / "service_tariffs.csv")
    ]  # fmt: skip


def operation_rows() -> list[Row]:
    """code, name_kk, name_ru, class_code, search_key, active."""
    return [
        (r["code"], r["name_kk"], r["name_ru"], r["class_code"],
         search_key(r["code"], r["name_ru"], r["name_kk"]), True)
        for r in read(OWN_DATA / "operations.csv")
    ]  # fmt: skip


def coded_rows(directory_code: str) -> list[Row]:
    """directory_code, code, name_kk, name_ru, sort_order, active."""
    return [
        (r["directory_code"], r["code"], r["name_kk"], r["name_ru"], int(r["sort_order"]), True)
        for r in read(OWN_DATA / "coded_values.csv")
        if r["directory_code"] == directory_code
    ]


def lab_test_rows() -> list[Row]:
    """code, name_kk, name_ru, name_en, loinc, specimen, unit, panel, search_key, active.

    Specimen and panel are codes of their own small directories, whose Russian names the reference file uses.
    """
    coded = {
        (r["directory_code"], r["name_ru"]): r["code"]
        for r in read(OWN_DATA / "coded_values.csv")
        if r["directory_code"] in ("lab_specimen", "lab_panel")
    }
    return [
        (
            r["test_code"], r["name_kk_unverified"] or None, r["name_ru"], r["name_en"] or None, r["loinc"] or None,
            coded[("lab_specimen", r["specimen"])], r["unit"] or None, coded[("lab_panel", r["panel"])],
            search_key(r["test_code"], r["name_ru"], r["name_kk_unverified"], r["name_en"]), True,
        )
        for r in read(REFERENCE / "lab_tests.csv")
    ]  # fmt: skip


def lab_interval_rows(valid_from: date) -> list[Row]:
    """test_code, sex, age_from_days, age_to_days, low, high, note, source, valid_from, valid_to.

    A test may have several rows for one sex and age, told apart by the note: pregnancy, another population.
    """
    return [
        (
            r["test_code"], r["sex"], int(r["age_from_days"]), int(r["age_to_days"]) if r["age_to_days"] else None,
            Decimal(r["low"]) if r["low"] else None, Decimal(r["high"]) if r["high"] else None, r["note"] or None,
            r["source"], valid_from, None,
        )
        for r in read(REFERENCE / "lab_reference_intervals.csv")
    ]  # fmt: skip


def rows_of(edition: Edition) -> Sequence[Row]:
    """The rows of a directory that comes with the system."""
    match edition.code:
        case "icd10":
            return icd10_rows(edition.valid_from)
        case "kato":
            return kato_rows()
        case "medicine":
            return medicine_rows()
        case "service":
            return service_rows(edition.valid_from)
        case "service_tariff":
            return tariff_rows()
        case "operation":
            return operation_rows()
        case "lab_test":
            return lab_test_rows()
        case "lab_reference_interval":
            return lab_interval_rows(edition.valid_from)
        case small:
            return coded_rows(small)
