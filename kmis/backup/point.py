"""One consistent point: a snapshot of PostgreSQL, what it counts, and the files that its rows name.

Files are never changed after their row is committed, and the lake's writer deletes one a day after its last snapshot
has expired; so files that are copied after the snapshot was taken are those that it names, and perhaps some more.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from kmis.backup.errors import PointBroken
from kmis.postgres import admin_connection
from kmis.settings import Settings

FORMAT = 1
FOLDER = "backup"
MANIFEST = f"{FOLDER}/manifest.json"
DUMP = f"{FOLDER}/database"
# Folders under home that hold what cannot be made anew.
KEPT = ("lake", "dicom", "spool", "exports", "secrets")
FILES = {
    "ducklake_data_file": """
        select 'lake/' || case when f.path_is_relative
            then case when t.path_is_relative then s.path else '' end || t.path else '' end || f.path,
            f.file_size_bytes
        from (select table_id, path, path_is_relative, file_size_bytes from lake_meta.ducklake_data_file
              union all
              select table_id, path, path_is_relative, file_size_bytes from lake_meta.ducklake_delete_file) as f
        join (select distinct on (table_id) * from lake_meta.ducklake_table order by table_id, begin_snapshot desc)
            as t using (table_id)
        join (select distinct on (schema_id) * from lake_meta.ducklake_schema order by schema_id, begin_snapshot desc)
            as s using (schema_id)
    """,
    "imaging_instance": "select file_path, file_bytes from imaging_instance",
    "device_message": "select raw_path, raw_bytes from device_message",
}
DIGESTS = {
    "device_message": "select raw_path, raw_sha256 from device_message",
    "unload_log": "select 'exports/' || id || '/' || file_name, sha256 from unload_log"
    " where status = 'ready' and file_name is not null and sha256 is not null",
}


@dataclass
class Manifest:
    """What a backup holds besides its files."""

    format: int
    made_at: str
    revision: str | None
    server_version: str
    system_identifier: str
    epoch_id: int | None
    snapshot_id: int | None
    watermark_xid: int | None
    run_id: int | None
    counts: dict[str, int]
    products: dict[str, Any] = field(default_factory=dict)

    def write(self, file: Path) -> None:
        """Writes it as JSON."""
        file.write_text(json.dumps(asdict(self), indent=1, sort_keys=True))

    @staticmethod
    def read(file: Path) -> Manifest:
        """Reads one. Raises PointBroken when it is none, or of a newer release."""
        try:
            found = json.loads(file.read_text())
            if found["format"] > FORMAT:
                raise PointBroken("the backup was made by a newer release: restore it with that release")
            return Manifest(**found)
        except (OSError, ValueError, TypeError, KeyError):
            raise PointBroken("this is not a backup of KMIS: its manifest is missing or unreadable") from None


@contextlib.contextmanager
def fixed(settings: Settings) -> Iterator[tuple[psycopg.Connection, str]]:
    """A transaction that sees one moment, and the name under which pg_dump sees the same one."""
    with admin_connection(settings, settings.database) as connection:
        connection.execute("set idle_in_transaction_session_timeout = 0")
        connection.execute("begin transaction isolation level repeatable read read only")
        row = connection.execute("select pg_export_snapshot()").fetchone()
        yield connection, str(row[0]) if row else ""
        connection.execute("rollback")


def read_point(connection: psycopg.Connection, run_id: int | None) -> Manifest:
    """What the moment holds: release of the schema, feed epoch, publication, rows of every table."""
    published = _first(connection, "published", "select snapshot_id, watermark_xid from published order by id desc")
    epoch = _first(connection, "feed_epoch", "select max(id) from feed_epoch")
    revision = _first(connection, "alembic_version", "select version_num from alembic_version")
    server = connection.execute(
        "select current_setting('server_version'), system_identifier::text from pg_control_system()"
    ).fetchone()
    return Manifest(
        format=FORMAT,
        made_at=datetime.now(UTC).isoformat(timespec="seconds"),
        revision=revision[0] if revision else None,
        server_version=str(server[0]) if server else "",
        system_identifier=str(server[1]) if server else "",
        epoch_id=epoch[0] if epoch else None,
        snapshot_id=published[0] if published else None,
        watermark_xid=published[1] if published else None,
        run_id=run_id,
        counts=count_rows(connection),
    )


def count_rows(connection: psycopg.Connection) -> dict[str, int]:
    """Rows of every table of the store and of the lake's catalogue."""
    tables = connection.execute(
        "select n.nspname, c.relname from pg_class as c join pg_namespace as n on n.oid = c.relnamespace"
        " where c.relkind = 'r' and n.nspname in ('public', 'lake_meta') order by 1, 2"
    ).fetchall()
    counts = {}
    for schema, name in tables:
        row = connection.execute(sql.SQL("select count(*) from {}").format(sql.Identifier(schema, name))).fetchone()
        counts[f"{schema}.{name}"] = int(row[0]) if row else 0
    return counts


def needed_files(connection: psycopg.Connection) -> dict[str, int]:
    """The files that rows name, by path under home, with their sizes in bytes."""
    return {
        str(path): int(size)
        for table, statement in FILES.items()
        if _has(connection, table)
        for path, size in connection.execute(statement).fetchall()
    }


def needed_digests(connection: psycopg.Connection) -> dict[str, str]:
    """SHA-256 by path under home, of the files whose rows tell it."""
    return {
        str(path): str(digest)
        for table, statement in DIGESTS.items()
        if _has(connection, table)
        for path, digest in connection.execute(statement).fetchall()
    }


def missing(needed: Mapping[str, int], found: Mapping[str, int]) -> list[str]:
    """Needed files that are not there or of another size."""
    return sorted(path for path, size in needed.items() if found.get(path) != size)


def named(paths: list[str]) -> str:
    """How many files of which folders, for an error text: names of files may tell of persons."""
    folders = sorted({path.split("/")[0] for path in paths})
    return f"{len(paths)} files under {', '.join(folders)}"


def _has(connection: psycopg.Connection, table: str) -> bool:
    schema = "lake_meta" if table.startswith("ducklake_") else "public"
    row = connection.execute("select to_regclass(%s)", (f"{schema}.{table}",)).fetchone()
    return bool(row and row[0])


def _first(connection: psycopg.Connection, table: str, statement: str) -> Any:
    return connection.execute(statement).fetchone() if _has(connection, table) else None
