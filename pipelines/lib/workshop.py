"""What the writer works with: one DuckDB instance with lake and store attached, one PostgreSQL connection.

One process, one DuckDB connection: DuckLake has one writer. The instance is in memory and has a name, so that
dbt, which opens it by that name, works in the same instance.
"""

from __future__ import annotations

import itertools
import logging
import os
from dataclasses import dataclass
from types import TracebackType

import duckdb
import psutil
import psycopg

from kmis import lake
from kmis.clock import Clock, SystemClock
from kmis.settings import Settings
from pipelines.lib.errors import WriterBusy
from pipelines.lib.syncing import sync_files

# Any constant does, as long as it is the same in every release: it names the right to write to the lake.
WRITER_LOCK = 0x4B4D4953_4C414B45
# Small inserts and deletes stay in the catalogue and are flushed to Parquet by the maintenance: a pass makes few files.
# More rows are faster in a file: the commit of 1,000 rows of each table took 1.0 s, of 200 rows 0.4 s.
INLINED_ROWS = 200
# DuckLake makes no indexes; a scan asks for the limits of one column in the files of one table.
CATALOGUE_INDEXES = """
create index if not exists kmis_file_column_stats on lake_meta.ducklake_file_column_stats (table_id, column_id);
create index if not exists kmis_data_file on lake_meta.ducklake_data_file (table_id);
create index if not exists kmis_delete_file on lake_meta.ducklake_delete_file (table_id)
"""
SCHEMAS = ("bronze", "staging", "intermediate", "marts")

BRONZE = """
create table if not exists lake.bronze.change (
    feed_id bigint, xid bigint, table_name varchar, key bigint, operation varchar, actor_id bigint,
    reason varchar, recorded_at timestamptz, new_row varchar, old_row varchar, superseded boolean, batch_id bigint
);
create table if not exists lake.bronze.watermark (
    system_identifier varchar, epoch_id bigint, xid bigint, feed_id bigint, event_at timestamptz,
    batch_id bigint, loaded_at timestamptz
);
create table if not exists lake.bronze.built (
    xid bigint, epoch_id bigint, event_at timestamptz, built_at timestamptz
);
create table if not exists lake.bronze.model (schema_name varchar, name varchar, checksum varchar);
"""
# Merging fails where files of one partition lie in different folders ("Files have different hive partition path",
# DuckLake of duckdb 1.5.5). The flush of inlined rows always makes folders, other writing only if told to.
FOLDERS = "call lake.set_option('hive_file_pattern', true)"
IN_FOLDERS = "select 1 from ducklake_options('lake') where option_name = 'hive_file_pattern' and value = 'true'"

log = logging.getLogger(__name__)
_instances = itertools.count(1)


@dataclass
class Workshop:
    """The writer's tools. Use as a context manager; leaving it gives the lock back."""

    settings: Settings
    clock: Clock
    instance: str
    lake: duckdb.DuckDBPyConnection
    store: psycopg.Connection[tuple[object, ...]]

    def __enter__(self) -> Workshop:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Ends both connections; the advisory lock ends with the session."""
        self.lake.close()
        self.store.close()

    def ensure_lock(self) -> None:
        """Raises WriterBusy when the session that held the lock is gone. Called before each lake commit."""
        try:
            row = self.store.execute(
                "select 1 from pg_locks where locktype = 'advisory' and pid = pg_backend_pid() and granted"
                " and ((classid::bigint << 32) | objid::bigint) = %s",
                (WRITER_LOCK,),
            ).fetchone()
        except psycopg.OperationalError:
            row = None
        if row is None:
            raise WriterBusy("the writer's lock was lost with its session; nothing was committed")


def open_workshop(settings: Settings, clock: Clock | None = None) -> Workshop:
    """Takes the writer's lock and opens the lake for writing. Raises WriterBusy when another has the lock."""
    store = psycopg.connect(settings.dsn("kmis_writer"), autocommit=True, application_name="kmis writer")
    try:
        row = store.execute("select pg_try_advisory_lock(%s)", (WRITER_LOCK,)).fetchone()
        if not row or not row[0]:
            raise WriterBusy("another process is the lake's writer")
        instance = f":memory:kmis_lake_{os.getpid()}_{next(_instances)}"
        connection = duckdb.connect(instance)
        try:
            _set_up(connection, settings)
            with psycopg.connect(settings.dsn("kmis_lake"), autocommit=True) as catalogue:
                catalogue.execute(CATALOGUE_INDEXES)
        except BaseException:
            connection.close()
            raise
    except BaseException:
        store.close()
        raise
    return Workshop(settings, clock or SystemClock(), instance, connection, store)


def _memory() -> int:
    """Bytes that the writer may use: a rebuild joins all visits, 2 GB on 320,000 people; a pass stays far below."""
    return max(2 * 10**9, psutil.virtual_memory().total // 4)


def _set_up(connection: duckdb.DuckDBPyConnection, settings: Settings) -> None:
    spill = settings.root / "tmp" / "writer"
    spill.mkdir(parents=True, exist_ok=True, mode=0o700)
    connection.execute(f"set threads = 2; set memory_limit = '{_memory()}B'; set temp_file_encryption = true")
    # What is read often is copied already (near.py); a second copy of files grew by 40 MB a minute and saved no time.
    connection.execute("set enable_external_file_cache = false")
    connection.execute("set temp_directory = '" + str(spill).replace("'", "''") + "'")
    lake.attach_writer(connection, settings)
    lake.attach_store(connection, settings)
    known = {
        str(row[0])
        for row in connection.execute(
            "select schema_name from duckdb_schemas() where database_name = 'lake'"
        ).fetchall()
    }
    for schema in SCHEMAS:
        if schema not in known:
            connection.execute(f"create schema lake.{schema}")
    tables = connection.execute(
        "select count(*) from duckdb_tables() where database_name = 'lake' and schema_name = 'bronze'"
    ).fetchone()
    if tables and tables[0] < BRONZE.count("create table"):
        connection.begin()
        connection.execute(BRONZE)
        connection.execute("alter table lake.bronze.change set partitioned by (table_name)")
        connection.commit()
        connection.execute(f"call lake.set_option('data_inlining_row_limit', {INLINED_ROWS})")
        connection.execute(FOLDERS)
    elif connection.execute(IN_FOLDERS).fetchone() is None:
        _lay_out_anew(connection, settings)


def _lay_out_anew(connection: duckdb.DuckDBPyConnection, settings: Settings) -> None:
    """A lake of an earlier release has partitions without folders: what the flush adds to those cannot be merged.

    Bronze is written again; that no model is known as it is makes the next pass write all others.
    """
    log.info("the lake is laid out anew")
    connection.begin()
    try:
        connection.execute(BRONZE.split(";")[0].replace("lake.bronze.change", "lake.bronze.change_anew"))
        connection.execute("alter table lake.bronze.change_anew set partitioned by (table_name)")
        connection.execute(FOLDERS)
        connection.execute(f"call lake.set_option('data_inlining_row_limit', {INLINED_ROWS})")
        connection.execute(
            "insert into lake.bronze.change_anew select * from lake.bronze.change order by table_name, feed_id"
        )
        connection.execute("drop table lake.bronze.change")
        connection.execute("alter table lake.bronze.change_anew rename to change")
        connection.execute("update lake.bronze.model set checksum = ''")
        sync_files(settings.lake_dir)
        connection.commit()
    except BaseException:
        connection.rollback()
        raise
