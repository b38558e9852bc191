"""``kmis bench unload``: rows a second from the lake to a finished Excel file, beside two other ways to
make it.

All three read the same 200,000 × 20 rows of the same encrypted DuckLake table. Goals (issue of the first
build): at least 6 times ``xlsxwriter`` and 1.8 times DuckDB's ``excel`` extension. The others make a
poorer file: DuckDB sets no widths, filters, frozen header or text format.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import duckdb

from exports.bookframe import NUMBER_FORMATS, DataSheet, SummarySheet
from exports.columns import TEXT_KINDS, ColumnSpec, Kind
from exports.workbook import write_xlsx
from kmis.bench.results import Goal, Result
from kmis.lake import extension_file, load_extensions

ROWS = 200_000
GOALS = {"xlsxwriter": 6.0, "duckdb excel": 1.8}
ZONE = "Asia/Oral"
BATCH_ROWS = 10_000
ROUNDS = 4
Way = Callable[[duckdb.DuckDBPyConnection, Path, int], None]
COLUMNS: tuple[tuple[str, Kind, str], ...] = (
    ("iin", "code", "lpad((i * 7919 % 1000000000000)::varchar, 12, '0')"),
    ("full_name", "text", "'Тегі' || i % 4000 || ' Аты' || i % 350 || ' Әкесінің аты ' || i % 300"),
    ("birth_date", "date", "date '1940-01-01' + (i * 37 % 30000)::int"),
    ("sex", "text", "if(i % 2 = 0, 'Ер', 'Әйел')"),
    ("organisation_code", "code", "'0' || 1000 + i % 20"),
    ("organisation", "text", "'Қаратөбе аудандық ауруханасы № ' || i % 20"),
    ("kato", "code", "'2736' || lpad((i % 50)::varchar, 5, '0')"),
    ("site", "text", "'Учаске ' || i % 40"),
    ("doctor", "text", "'Дәрігер ' || i % 70"),
    ("visit_number", "integer", "i"),
    ("encounter_date", "date", "date '2024-01-01' + (i % 730)::int"),
    ("started_at", "datetime", "timestamp '2024-01-01 08:00' + to_minutes(i * 5)"),
    ("icd10_code", "code", "chr((65 + i % 20)::int) || lpad((i % 99)::varchar, 2, '0') || '.' || i % 10"),
    ("icd10_name", "text", "'Острая инфекция верхних дыхательных путей ' || i % 900"),
    ("age_years", "integer", "i % 90"),
    ("service_code", "code", "if(i % 5 = 0, null, 'B02.' || lpad((i % 300)::varchar, 3, '0'))"),
    ("tariff", "money", "(i % 1000000 / 100)::decimal(12, 2)"),
    ("primary_flag", "flag", "(i % 3 = 0)::tinyint"),
    ("died_flag", "flag", "(i % 97 = 0)::tinyint"),
    ("visits", "integer", "1"),
)


@dataclass(frozen=True, slots=True)
class Timing:
    """The best of some runs of one way, in seconds, and the size of its file in bytes."""

    way: str
    rows: int
    seconds: float
    size: int

    @property
    def rows_per_second(self) -> float:
        return self.rows / self.seconds


def specs() -> list[ColumnSpec]:
    """The columns of the benchmark's table."""
    totalled = {"flag", "money"}
    return [ColumnSpec(name, name, kind, totalled=kind in totalled) for name, kind, _ in COLUMNS]


def make_lake(folder: Path, rows: int) -> duckdb.DuckDBPyConnection:
    """An encrypted lake of its own in ``folder`` with the table ``lake.bench``."""
    connection = duckdb.connect()
    connection.execute("SET threads = 2")
    connection.execute("SET enable_progress_bar = false")
    load_extensions(connection)
    connection.execute(f"ATTACH 'ducklake:{folder}/bench.ducklake' AS lake (DATA_PATH '{folder}/data', ENCRYPTED)")
    columns = ", ".join(f"{expression} AS {name}" for name, _, expression in COLUMNS)
    relation = connection.sql("FROM range($rows) AS numbers(i)", params={"rows": rows})
    relation.project(columns).create("lake.bench")
    return connection


def ours(connection: duckdb.DuckDBPyConnection, target: Path, rows: int) -> None:
    """The unload as every user gets it: cleaned, formatted, with «Свод» and «Паспорт»."""
    batches = connection.execute("FROM lake.bench").to_arrow_reader(BATCH_ROWS)
    data = DataSheet("XLS-00", "bench", specs(), batches, rows, ZONE)
    summary = SummarySheet(("measure", "value"), [("rows", rows)], (20.0, 20.0))
    write_xlsx(target, data, summary, lambda control: [("rows", control.rows)], "ru")


def with_xlsxwriter(connection: duckdb.DuckDBPyConnection, target: Path, rows: int) -> None:
    """The same sheet by ``xlsxwriter`` in constant memory."""
    import xlsxwriter

    columns = specs()
    book = xlsxwriter.Workbook(str(target), {"constant_memory": True, "strings_to_formulas": False})
    sheet = book.add_worksheet("bench")
    formats = [
        book.add_format({"num_format": "@" if c.kind in TEXT_KINDS else NUMBER_FORMATS.get(c.kind, "General")})
        for c in columns
    ]
    writers = [_writer(sheet, column.kind) for column in columns]
    sheet.freeze_panes(1, 0)
    sheet.autofilter(0, 0, rows, len(columns) - 1)
    sheet.write_row(0, 0, [column.title for column in columns])
    number = 0
    for batch in connection.execute("FROM lake.bench").to_arrow_reader(BATCH_ROWS):
        for row in zip(*(column.to_pylist() for column in batch.columns), strict=True):
            number += 1
            for index, value in enumerate(row):
                if value is not None:
                    writers[index](number, index, value, formats[index])
    book.close()


def _writer(sheet: object, kind: Kind) -> Callable[..., object]:
    name = {"date": "write_datetime", "datetime": "write_datetime"}.get(kind, "write_number")
    writer: Callable[..., object] = getattr(sheet, "write_string" if kind in TEXT_KINDS else name)
    return writer


def with_duckdb(connection: duckdb.DuckDBPyConnection, target: Path, _rows: int) -> None:
    """The same rows by DuckDB's own extension."""
    connection.execute(f"COPY (FROM lake.bench) TO '{target}' (FORMAT xlsx, HEADER true)")


def run(rows: int = ROWS, say: Callable[[str], None] = lambda line: None) -> list[Timing]:
    """Time the three ways, warm, and return ours first. ``say`` is told what is being done."""
    folder = Path(tempfile.mkdtemp(prefix="kmis-bench-"))
    try:
        connection = make_lake(folder, rows)
        connection.execute(f"LOAD '{extension_file('excel')}'")
        # In turns, so that whatever else the machine does meets both of the close ones alike.
        turns: list[tuple[str, Way]] = [("kmis", ours), ("duckdb excel", with_duckdb)] * ROUNDS
        turns.append(("xlsxwriter", with_xlsxwriter))
        best: dict[str, Timing] = {}
        target = folder / "bench.xlsx"
        for name, make in turns:
            say(f"{name}: {rows:,} x {len(COLUMNS)}")
            target.unlink(missing_ok=True)
            started = time.perf_counter()
            make(connection, target, rows)
            timing = Timing(name, rows, time.perf_counter() - started, target.stat().st_size)
            if name not in best or timing.seconds < best[name].seconds:
                best[name] = timing
        connection.close()
        return list(best.values())
    finally:
        shutil.rmtree(folder)


def report(timings: list[Timing]) -> Result:
    """The result: ours first, then each other with how many times ours it takes."""
    own, *others = timings
    lines = [f"kmis          {own.seconds:6.2f} s {own.rows_per_second:10,.0f} rows/s {own.size / 1e6:6.1f} MB"]
    goals = []
    for other in others:
        times, goal = other.seconds / own.seconds, GOALS[other.way]
        lines.append(
            f"{other.way:<13} {other.seconds:6.2f} s {other.rows_per_second:10,.0f} rows/s {other.size / 1e6:6.1f} MB"
            f"   kmis is {times:.1f} times as fast"
        )
        goals.append(Goal(f"at least {goal:g} times as fast as {other.way}", f"{times:.1f} times", times >= goal))
    return Result(
        name="unload",
        title="Rows a second from the lake to a finished Excel file with its sheets of totals and of the passport.",
        size=f"{own.rows:,} rows of {len(COLUMNS)} columns, the best of {ROUNDS} turns",
        goals=tuple(goals),
        peer="the same rows of the same lake written by " + " and by ".join(other.way for other in others),
        ratio=", ".join(f"{other.way} takes {other.seconds / own.seconds:.1f} times as long" for other in others),
        lines=tuple(lines),
    )
