"""Rows for the tests of the writers: hard values of every kind, and lists of any length."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path

import pyarrow as pa

from exports.bookframe import DataSheet, ServiceCell, SummarySheet
from exports.columns import ColumnSpec, Control

COLUMNS = [
    ColumnSpec("iin", "ЖСН", "code"),
    ColumnSpec("name", "Тегі, аты", "text"),
    ColumnSpec("organisation", "Ұйым", "text"),
    ColumnSpec("doctor", "Ұйым", "text"),
    ColumnSpec("born", "Туған күні", "date"),
    ColumnSpec("at", "Келген уақыты", "datetime"),
    ColumnSpec("hour", "Сағаты", "time"),
    ColumnSpec("age", "Жасы", "integer"),
    ColumnSpec("rate", "Үлесі", "number"),
    ColumnSpec("tariff", "Тариф, теңге", "money", totalled=True),
    ColumnSpec("died", "Қайтыс болды (0/1)", "flag", totalled=True),
]
ROWS: list[dict[str, object]] = [
    {
        "iin": "007001010003",
        "name": "=HYPERLINK(1)\nӘлия & <Ұлы> _x0041_ \x07",
        "organisation": "Қаратөбе ауруханасы",
        "doctor": "+7 701",
        "born": date(1985, 6, 30),
        "at": datetime(2023, 6, 30, 18, 30, tzinfo=UTC),
        "hour": time(8, 5),
        "age": 38,
        "rate": 12.5,
        "tariff": Decimal("1500.50"),
        "died": True,
    },
    {
        "iin": "000000000001",
        "name": " Ғалым\u2028Өмірбек ",
        "organisation": "Қаратөбе ауруханасы",
        "doctor": "-1",
        "born": date(1895, 1, 1),
        "at": None,
        "hour": None,
        "age": None,
        "rate": float("inf"),
        "tariff": Decimal("0.50"),
        "died": False,
    },
    {
        "iin": None,
        "name": "",
        "organisation": None,
        "doctor": "@x",
        "born": None,
        "at": datetime(2024, 3, 1, 0, 0, tzinfo=UTC),
        "hour": time(23, 59),
        "age": 0,
        "rate": None,
        "tariff": None,
        "died": None,
    },
]
SUMMARY = SummarySheet(
    ("Көрсеткіш", "Мәні", "Алымы", "Бөлімі"),
    [("Өлім-жітім, %", 50.0, 1, 2), ("=Барлығы", 3, None, None)],
    (30.0, 12.0, 12.0, 12.0),
)


def sheet(rows: list[dict[str, object]] | None = None, total: int | None = None) -> DataSheet:
    """A data sheet of the hard rows."""
    chosen = ROWS if rows is None else rows
    table = pa.Table.from_pylist(chosen or [dict.fromkeys(ROWS[0])], schema=pa.Table.from_pylist(ROWS).schema)
    batches = table.slice(0, len(chosen)).to_batches(max_chunksize=2)
    title = "Сырқаттанушылық: тізім/жылдық есеп"
    return DataSheet("XLS-02", title, COLUMNS, batches, len(chosen) if total is None else total, "Asia/Oral")


def numbers(total: int, batch_rows: int = 10_000) -> Iterator[pa.RecordBatch]:
    """``total`` rows of a number, a code and a flag."""
    for start in range(0, total, batch_rows):
        values = range(start, min(total, start + batch_rows))
        yield pa.RecordBatch.from_pydict({
            "number": pa.array(values, pa.int64()),
            "code": pa.array([f"{value:08d}" for value in values]),
            "one": pa.array([1] * len(values), pa.int8()),
        })  # fmt: skip


NUMBER_COLUMNS = [
    ColumnSpec("number", "Нөмірі", "integer"),
    ColumnSpec("code", "Коды", "code"),
    ColumnSpec("one", "Саны", "flag", totalled=True),
]


def long_sheet(total: int, declared: int | None = None) -> DataSheet:
    """A data sheet of ``total`` simple rows, declared as ``declared``."""
    return DataSheet(
        "XLS-02", "Тізім", NUMBER_COLUMNS, numbers(total), total if declared is None else declared, "Asia/Oral"
    )


def passport(control: Control) -> list[tuple[str, ServiceCell]]:
    """Rows and sums, as the real passport has them."""
    return [("Жол саны", control.rows), *((key, float(total)) for key, total in control.totals.items())]


def names_in(folder: Path) -> list[str]:
    """The files of a folder."""
    return sorted(file.name for file in folder.iterdir())
