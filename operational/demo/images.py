"""Rows of an area as the change feed would write them, in Parquet: what goes into the lake past the store.

Keys of patient-level rows are below zero, ``-(area * STRIDE + id)``: that marks them, since no key of the store is.
Rows of organisation and staff (``DIRECTORIES``) are the store's own; the hospitals of the region are shared.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import duckdb
import polars as pl
import psycopg
from psycopg import sql

from operational.demo.schema import Store
from operational.demo.tables import Table
from operational.models import Base

DIRECTORIES: Final = (
    "organisation", "organisation_version", "department", "site", "practitioner", "practitioner_role",
    "site_assignment", "room", "app_user", "bed_stock", "device", "device_test_code",
)  # fmt: skip
STRIDE: Final = 100_000_000
# Of one area in each directory; the store numbers its own rows above all of them.
ROWS_OF_AREA: Final = 1000
# Numbers that are unique in the store: the area stands behind them.
NUMBERED: Final = {
    "service_request": ("number",), "diagnostic_order": ("accession_number",), "imaging_study": ("accession_number",),
    "hospital_stay": ("case_number",), "death": ("certificate_number",), "diagnostic_report": ("filler_number",),
    "device_message": ("control_id",),
}  # fmt: skip
# A key whose table another column names; every such table holds patient-level rows.
NAMED_BY_ROW: Final = {("signal_case", "subject_id")}
# Not in the feed: files of pictures lie in the store's home only.
NOT_FED: Final = ("imaging_instance",)
COLUMNS: Final = """
select a.attname, format_type(a.atttypid, null), pg_get_expr(d.adbin, d.adrelid)
from pg_attribute as a left join pg_attrdef as d on d.adrelid = a.attrelid and d.adnum = a.attnum
where a.attrelid = %s::regclass and a.attnum > 0 and not a.attisdropped order by a.attnum
"""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the store: its type, and the JSON of its default."""

    name: str
    kind: str
    default: str


@dataclass(frozen=True, slots=True)
class Shift:
    """Where the rows of an area go: ``directories`` gives the store's keys by table, in the order of the area's own."""

    area: int
    patients: int
    directories: Mapping[str, Sequence[int]]

    def key(self, table: str, column: str) -> str:
        """SQL of the store's key of a directory row, or of the key below zero."""
        if table in DIRECTORIES:
            return f"[{', '.join(str(key) for key in self.directories[table])}][{column}]"
        return f"-({self.area * STRIDE} + {column})"


def references(table: str) -> dict[str, str]:
    """The table whose key each column names, by the foreign keys of the models."""
    return {
        column.name: next(key.column.table.name for key in column.foreign_keys if key.column.name == "id")
        for column in Base.metadata.tables[table].columns
        if any(key.column.name == "id" for key in column.foreign_keys)
    }


def patient_tables(store: Store) -> list[Table]:
    """The tables whose rows go into the lake only."""
    return [table for table in store if table.name not in (*DIRECTORIES, *NOT_FED)]


def read_columns(connection: psycopg.Connection[Any]) -> dict[str, list[Column]]:
    """Columns of every patient-level table as the store has them."""
    found: dict[str, list[Column]] = {}
    for table in patient_tables(Store()):
        columns: list[Column] = []
        for name, kind, default in connection.execute(COLUMNS, (table.name,)).fetchall():
            value = None
            if default is not None:
                row = connection.execute(sql.SQL("select to_jsonb({})").format(sql.SQL(default))).fetchone()
                value = row[0] if row else None
            columns.append(Column(name, kind, json.dumps(value)))
        found[str(table.name)] = columns
    return found


def write_images(store: Store, columns: Mapping[str, Sequence[Column]], shift: Shift, folder: Path) -> int:
    """One file per table: feed_id, key, new_row. Gives the number of rows."""
    folder.mkdir(parents=True, exist_ok=True)
    written = 0
    with duckdb.connect() as connection:
        connection.execute("set threads = 1; set timezone = 'UTC'")
        for table in patient_tables(store):
            if not len(table):
                continue
            frame = pl.DataFrame(
                table.rows, schema=[(str(name), kind) for name, kind in table.types.items()], orient="row"
            )
            connection.register("frame", frame.to_arrow())
            first = shift.area * STRIDE + written
            place = str(folder / f"{table.name}.parquet").replace("'", "''")
            connection.execute(
                f"copy (select -({first} + id) as feed_id, {shift.key(table.name, 'id')} as key,"
                f" {_image(table, columns[table.name], shift)} as new_row from frame order by id)"
                f" to '{place}' (format parquet, compression zstd)"
            )
            connection.unregister("frame")
            written += len(table)
    return written


def _image(table: Table, columns: Sequence[Column], shift: Shift) -> str:
    """SQL of the row as JSON, with the names and the forms that ``to_jsonb`` gives in the store."""
    referred = references(table.name)
    fields: list[str] = []
    for column in columns:
        name = f'"{column.name}"'
        if column.name not in table.columns:
            value = f"'{column.default.replace(chr(39), chr(39) * 2)}'::json"
        elif column.name == "id":
            value = shift.key(table.name, name)
        elif column.name in referred:
            value = shift.key(referred[column.name], name)
        elif (table.name, column.name) in NAMED_BY_ROW:
            value = shift.key("", name)
        elif column.name == "patient_no":
            value = f"{shift.patients} + {name}"
        elif column.name in NUMBERED.get(table.name, ()):
            value = f"{name} || '/{shift.area}'"
        else:
            value = _form(name, column.kind)
        fields.append(f"{name} := {value}")
    return f"to_json(struct_pack({', '.join(fields)}))::varchar"


def _form(name: str, kind: str) -> str:
    if kind == "timestamp with time zone":
        return f"strftime({name}, '%Y-%m-%dT%H:%M:%S+00:00')"
    if kind == "date":
        return f"strftime({name}, '%Y-%m-%d')"
    if kind == "jsonb":
        return f"{name}::json"
    if kind == "numeric":
        return f"{name}::decimal(18, 6)::double"
    if kind.endswith("[]"):
        inner = f"trim({name}, '{{}}')"
        return f"case when {name} is null then null when {inner} = '' then []::varchar[] else split({inner}, ',') end"
    return name
