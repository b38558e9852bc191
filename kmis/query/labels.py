"""Names of the members of dimensions, with the mark for directories that have no Kazakh edition."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from kmis.catalogue.models import Condition, Dimension, Directory, Language
from kmis.query.contract import Label
from kmis.query.frame import native
from kmis.query.store import Store, Tables, quoted

UNKNOWN = Label("", "Көрсетілмеген", "Не указано", sort="￿")
MARK = " *"
_ROMAN = {"I": 1, "V": 5, "X": 10, "L": 50}


def labels(store: Store, tables: Tables, dimension: Dimension, keys: Iterable[str]) -> dict[str, Label]:
    """The names of the keys; a key that its directory does not know is its own name."""
    wanted = set(keys)
    known = wanted - {""}
    found: dict[str, Label] = {"": UNKNOWN} if "" in wanted else {}
    if dimension.values:
        order = {key: f"{place:04d}" for place, key in enumerate(dimension.values)}
        found |= {
            key: Label(key, dimension.values[key].kk, dimension.values[key].ru, sort=order[key])
            for key in known & dimension.values.keys()
        }
    elif dimension.directory is not None and known:
        found |= _from_directory(store, tables, dimension, dimension.directory, known)
    return found | {key: Label(key, key, key, sort=key) for key in wanted - found.keys()}


def in_order(found: Iterable[Label]) -> tuple[Label, ...]:
    """Labels in the order of their directory, the unknown last."""
    return tuple(sorted(found, key=lambda label: (label.sort, label.key)))


def newest(tables: Tables, directory: Directory, bind: Any) -> str:
    """The directory as a sub-query with one row per key: columns ``key, code, kk, ru, sort`` of the newest version."""
    code = quoted(directory.code or directory.key)
    columns = [
        f"{quoted(directory.key)} AS key",
        f"CAST({code} AS VARCHAR) AS code",
        f"nullif(trim({quoted(directory.name_kk)}), '') AS kk",
        f"nullif(trim({quoted(directory.name_ru)}), '') AS ru",
        f"{quoted(directory.sort)} AS sort",
    ]
    parts = ["SELECT", ", ".join(columns), "FROM", tables.source(directory.table)]
    if directory.where:
        parts += ["WHERE", " AND ".join(_directory_condition(condition, bind) for condition in directory.where)]
    if directory.valid_from:
        newest_first = f"PARTITION BY {quoted(directory.key)} ORDER BY {quoted(directory.valid_from)} DESC"
        parts.append(f"QUALIFY row_number() OVER ({newest_first}) = 1")
    return "(" + " ".join(parts) + ")"


def name_expression(kk: str, ru: str, language: Language, person: bool) -> str:
    """The name of a member in the language; in Kazakh a name that exists in Russian only carries the mark."""
    if person:
        return kk
    if language == "ru":
        return f"coalesce(nullif(trim({ru}), ''), {kk})"
    return f"coalesce(nullif(trim({kk}), ''), {ru} || '{MARK}')"


def _directory_condition(condition: Condition, bind: Any) -> str:
    values = ", ".join(bind(value) for value in condition.any_of or ())
    return f"{quoted(condition.column)} IN ({values})"


def _from_directory(
    store: Store, tables: Tables, dimension: Dimension, directory: Directory, keys: set[str]
) -> dict[str, Label]:
    parameters: dict[str, Any] = {}

    def bind(value: object) -> str:
        name = f"p{len(parameters)}"
        parameters[name] = value
        return f"${name}"

    source = newest(tables, directory, bind)
    wanted = bind([native(dimension, key) for key in sorted(keys)])
    sql = " ".join(("SELECT key, kk, ru, sort FROM", source, f"WHERE key IN (SELECT unnest({wanted}))"))
    return {label.key: label for label in (_label(row, directory) for row in store.fetch(sql, parameters))}


def _label(row: tuple[Any, ...], directory: Directory) -> Label:
    key, kk, ru, sort = row
    text = str(key)
    russian = ru or kk or text
    return Label(
        key=text,
        kk=kk or russian,
        ru=russian,
        kazakh_missing=kk is None and not directory.person,
        sort=_sort(sort, directory),
    )


def _sort(value: object, directory: Directory) -> str:
    if isinstance(value, int):
        return f"{value:012d}"
    text = "" if value is None else str(value)
    return f"{_roman(text):04d}" if directory.roman_order else text


def _roman(text: str) -> int:
    """The number that a Roman numeral writes; ICD-10 chapters are numbered so."""
    digits = [_ROMAN.get(letter, 0) for letter in text]
    return sum(
        -digit if any(digit < later for later in digits[place + 1 : place + 2]) else digit
        for place, digit in enumerate(digits)
    )
