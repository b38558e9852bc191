"""Loading of directories: idempotent, by edition; an official file replaces a draft, never the other way round.

Runs as ``kmis_owner``. A code that a new edition no longer has stays, inactive and closed by its validity, because
visits refer to it. Tariffs before the first day of a new edition stay as they were; from that day on the edition's
tariffs count (visits carry the amount they were made with).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, LiteralString

import psycopg
from psycopg import sql

from operational.domains.catalogs import files
from operational.domains.catalogs.files import Edition, Row, Status

Connection = psycopg.Connection[Any]
RANK: dict[Status, int] = {"own": 0, "draft": 1, "official": 2}


@dataclass(frozen=True, slots=True)
class Table:
    """Where a directory's rows go: columns in the order of the rows, the key, how a dropped code is closed."""

    name: LiteralString
    columns: tuple[LiteralString, ...]
    key: tuple[LiteralString, ...]
    has_active: bool = True
    has_validity: bool = False


TABLES: dict[str, Table] = {
    "icd10": Table(
        "icd10",
        ("code", "level", "parent_code", "name_ru", "name_en", "name_kk", "search_key", "active", "valid_from"),
        ("code",), has_validity=True,
    ),
    "kato": Table(
        "kato", ("code", "level", "parent_code", "name_ru", "name_kk", "draft"), ("code",), has_active=False
    ),
    "medicine": Table(
        "medicine", ("atc_code", "inn_ru", "name_kk", "name_en", "search_key", "active"), ("atc_code",)
    ),
    "service": Table(
        "service",
        ("code", "name_kk", "name_ru", "class_code", "unit", "search_key", "active", "valid_from"),
        ("code",), has_validity=True,
    ),
    "operation": Table(
        "operation", ("code", "name_kk", "name_ru", "class_code", "search_key", "active"), ("code",)
    ),
    "lab_test": Table(
        "lab_test",
        ("code", "name_kk", "name_ru", "name_en", "loinc", "specimen", "unit", "panel", "search_key", "active"),
        ("code",),
    ),
}  # fmt: skip
SMALL = Table(
    "coded_value",
    ("directory_code", "code", "name_kk", "name_ru", "sort_order", "active"),
    ("directory_code", "code"),
)
TARIFF = Table(
    "service_tariff", ("service_code", "amount_kzt", "valid_from", "valid_to"), ("service_code", "valid_from"),
    has_active=False,
)  # fmt: skip
INTERVAL = Table(
    "lab_reference_interval",
    (
        "test_code", "sex", "age_from_days", "age_to_days", "low", "high", "note", "source", "valid_from", "valid_to",
    ),
    ("test_code", "sex", "age_from_days", "note", "valid_from"), has_active=False,
)  # fmt: skip


@dataclass(slots=True)
class LoadReport:
    """What a load did: rows that were new or differed, by directory; directories left as they are."""

    changed: dict[str, int] = field(default_factory=dict)
    kept: list[str] = field(default_factory=list)

    @property
    def total(self) -> int:
        """Rows written in all."""
        return sum(self.changed.values())


def load_catalogs(connection: Connection) -> LoadReport:
    """Load the directories that come with the system, in one transaction."""
    report = LoadReport()
    with connection.transaction():
        for edition in files.editions():
            if _stronger_stands(connection, edition):
                report.kept.append(edition.code)
                continue
            report.changed[edition.code] = _load(connection, edition, files.rows_of(edition))
    return report


def replace_directory(connection: Connection, edition: Edition, rows: Sequence[Row]) -> int:
    """Load an edition over what stands; gives the rows written. Rows are in the order of ``TABLES``.

    Raises ValueError when an official edition stands and this one is not official.
    """
    with connection.transaction():
        if _stronger_stands(connection, edition):
            raise ValueError("an official edition is replaced by an official one only")
        return _load(connection, edition, rows)


def _stronger_stands(connection: Connection, edition: Edition) -> bool:
    found = connection.execute("select status from directory where code = %s", (edition.code,)).fetchone()
    return found is not None and RANK[files.status(found[0])] > RANK[edition.status]


def _load(connection: Connection, edition: Edition, rows: Sequence[Row]) -> int:
    _register(connection, edition)
    if edition.code == "service_tariff":
        return _load_tariffs(connection, rows)
    if edition.code == "lab_reference_interval":
        return _load_intervals(connection, edition, rows)
    table = TABLES.get(edition.code, SMALL)
    _stage(connection, table, rows)
    written = _upsert(connection, table)
    if table.has_active:
        written += _close_dropped(connection, table, edition)
    connection.execute("drop table catalog_stage")
    return written


def _register(connection: Connection, edition: Edition) -> None:
    connection.execute(
        """
        insert into directory as d (code, title_kk, title_ru, status, version, source)
        values (%(code)s, %(title_kk)s, %(title_ru)s, %(status)s, %(version)s, %(source)s)
        on conflict (code) do update
        set title_kk = excluded.title_kk, title_ru = excluded.title_ru, status = excluded.status,
            version = excluded.version, source = excluded.source, loaded_at = now(),
            replaced_at = case when d.version is distinct from excluded.version then now() else d.replaced_at end
        where (d.title_kk, d.title_ru, d.status, d.version, d.source)
              is distinct from
              (excluded.title_kk, excluded.title_ru, excluded.status, excluded.version, excluded.source)
        """,
        {
            "code": edition.code, "title_kk": edition.title_kk, "title_ru": edition.title_ru,
            "status": edition.status, "version": edition.version, "source": edition.source,
        },
    )  # fmt: skip


def _names(columns: Sequence[LiteralString], prefix: LiteralString = "") -> sql.Composable:
    parts = [sql.Identifier(prefix, name) if prefix else sql.Identifier(name) for name in columns]
    return sql.SQL(", ").join(parts)


def _stage(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    connection.execute(
        sql.SQL("create temporary table catalog_stage on commit drop as select {} from {} with no data").format(
            _names(table.columns), sql.Identifier(table.name)
        )
    )
    with (
        connection.cursor() as cursor,
        cursor.copy(sql.SQL("copy catalog_stage ({}) from stdin").format(_names(table.columns))) as copy,
    ):
        for row in rows:
            copy.write_row(row)


def _upsert(connection: Connection, table: Table) -> int:
    # The day from which a code counts is set once.
    updated = [name for name in table.columns if name not in table.key and name != "valid_from"]
    statement = sql.SQL(
        """
        insert into {table} as t ({columns}) select {columns} from catalog_stage
        on conflict ({key}) do update set {assignments}
        where ({current}) is distinct from ({wanted})
        """
    ).format(
        table=sql.Identifier(table.name),
        columns=_names(table.columns),
        key=_names(table.key),
        assignments=sql.SQL(", ").join(sql.SQL("{0} = excluded.{0}").format(sql.Identifier(name)) for name in updated),
        current=_names(updated, "t"),
        wanted=_names(updated, "excluded"),
    )
    return max(connection.execute(statement).rowcount, 0)


def _close_dropped(connection: Connection, table: Table, edition: Edition) -> int:
    closing = sql.SQL(", valid_to = greatest({}, t.valid_from)").format(sql.Literal(edition.valid_from))
    own = sql.SQL("and t.directory_code = {}").format(sql.Literal(edition.code)) if table is SMALL else sql.SQL("")
    statement = sql.SQL(
        """
        update {table} as t set active = false {closing}
        where t.active {own} and not exists (select 1 from catalog_stage as s where ({staged}) = ({stored}))
        """
    ).format(
        table=sql.Identifier(table.name),
        closing=closing if table.has_validity else sql.SQL(""),
        own=own,
        staged=_names(table.key, "s"),
        stored=_names(table.key, "t"),
    )
    return max(connection.execute(statement).rowcount, 0)


def _load_tariffs(connection: Connection, rows: Sequence[Row]) -> int:
    _stage(connection, TARIFF, rows)
    written = 0
    for statement in _TARIFF_STEPS:
        written += max(connection.execute(statement).rowcount, 0)
    connection.execute("drop table catalog_stage")
    return written


def _load_intervals(connection: Connection, edition: Edition, rows: Sequence[Row]) -> int:
    """Intervals of an older edition end where this one begins; this edition's own rows are made equal to the file."""
    _stage(connection, INTERVAL, rows)
    written = _upsert(connection, INTERVAL)
    for statement in (
        """
        update lab_reference_interval set valid_to = %(day)s
        where valid_from < %(day)s and (valid_to is null or valid_to > %(day)s)
        """,
        """
        delete from lab_reference_interval as t where t.valid_from >= %(day)s and not exists (
            select from catalog_stage as s
            where (s.test_code, s.sex, s.age_from_days, s.valid_from)
                = (t.test_code, t.sex, t.age_from_days, t.valid_from) and s.note is not distinct from t.note
        )
        """,
    ):
        written += max(connection.execute(statement, {"day": edition.valid_from}).rowcount, 0)
    connection.execute("drop table catalog_stage")
    return written


_TARIFF_STEPS: tuple[LiteralString, ...] = (
    # A tariff that still held when the first new one begins ends there.
    """
    update service_tariff as t set valid_to = f.first_day
    from (select service_code, min(valid_from) as first_day from catalog_stage group by service_code) as f
    where t.service_code = f.service_code and t.valid_from < f.first_day
      and (t.valid_to is null or t.valid_to > f.first_day)
    """,
    """
    delete from service_tariff as t
    using (select service_code, min(valid_from) as first_day from catalog_stage group by service_code) as f
    where t.service_code = f.service_code and t.valid_from >= f.first_day
      and not exists (
          select 1 from catalog_stage as s where s.service_code = t.service_code and s.valid_from = t.valid_from
      )
    """,
    """
    update service_tariff as t set amount_kzt = s.amount_kzt, valid_to = s.valid_to
    from catalog_stage as s
    where s.service_code = t.service_code and s.valid_from = t.valid_from
      and (t.amount_kzt, t.valid_to) is distinct from (s.amount_kzt, s.valid_to)
    """,
    """
    insert into service_tariff (service_code, amount_kzt, valid_from, valid_to)
    select s.service_code, s.amount_kzt, s.valid_from, s.valid_to from catalog_stage as s
    where not exists (
        select 1 from service_tariff as t where t.service_code = s.service_code and t.valid_from = s.valid_from
    )
    """,
)
