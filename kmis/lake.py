"""The lake: DuckLake, its catalogue in PostgreSQL (schema ``lake_meta``), encrypted Parquet under ``lake_dir``.

Extensions are loaded out of their installed wheels, so nothing is downloaded and nothing is copied. The
catalogue's password travels in a libpq password file (mode 0600), never in a statement, an address or a log line.
"""

from __future__ import annotations

import importlib.util
import secrets
from pathlib import Path

import duckdb
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from kmis.settings import Role, Settings

ALIAS = "lake"
METADATA_SCHEMA = "lake_meta"
# The longest that one statement may take between two questions to the catalogue or to the store.
STATEMENT = "1h"
# Order matters: ducklake looks for the scanner of its catalogue; encrypted writing needs the OpenSSL of httpfs.
EXTENSIONS = ("httpfs", "icu", "postgres_scanner", "ducklake")


class ExtensionMissing(RuntimeError):
    """A DuckDB extension is not installed; the message names its package."""


def load_extensions(connection: duckdb.DuckDBPyConnection) -> None:
    """Loads the lake's extensions into the instance, offline. Raises ExtensionMissing."""
    connection.execute("set autoinstall_known_extensions = false; set enable_progress_bar = false")
    for name in EXTENSIONS:
        connection.execute(f"load '{_quoted(str(extension_file(name)))}'")


def extension_file(name: str) -> Path:
    """The extension's file in its installed package, for the running DuckDB. Raises ExtensionMissing."""
    package = f"duckdb_extension_{name}"
    spec = importlib.util.find_spec(package)
    places = list(spec.submodule_search_locations or ()) if spec else []
    for place in places:
        file = Path(place) / "extensions" / f"v{duckdb.__version__}" / f"{name}.duckdb_extension"
        if file.exists():
            return file
    wanted = package.replace("_", "-")
    raise ExtensionMissing(f"{name} for DuckDB {duckdb.__version__} is not installed: package {wanted}")


def conninfo(settings: Settings, role: Role) -> str:
    """A libpq connection string that names the role's password file, made here if missing, not the password."""
    url = settings.url(role)
    file = settings.secrets_dir / f"{role}.pgpass"
    line = ":".join(_escaped(part) for part in ("*", "*", "*", role, str(url.password or ""))) + "\n"
    if not file.exists() or file.read_text() != line:
        settings.secrets_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        fresh = file.with_suffix(f".{secrets.token_hex(4)}")
        fresh.touch(mode=0o600)
        fresh.write_text(line)
        fresh.replace(file)
    options = {name: value for name, value in url.query.items() if isinstance(value, str)}
    return make_conninfo(
        "", host=url.host, port=url.port, dbname=url.database, user=role, passfile=str(file), **options
    )


def catalogue_path(settings: Settings) -> str:
    """What ATTACH takes: the address of the lake's catalogue."""
    return f"ducklake:postgres:{_unhurried(conninfo(settings, 'kmis_lake'))}"


def data_path(settings: Settings) -> Path:
    """The folder of the lake's files, made if it is missing."""
    settings.lake_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    return settings.lake_dir


# DuckLake keeps the least and greatest value of a column for the newest version only (duckdb 1.5.5). An older version
# may hold values beyond them: what is planned from them then loses rows, or gives wrong numbers.
MISLED = "statistics_propagation"


def attach(connection: duckdb.DuckDBPyConnection, settings: Settings, snapshot: int | None = None) -> None:
    """Attaches the lake as ``lake`` for reading and sets the organisation's time zone.

    With ``snapshot`` every table is read at that version; without, a query says ``AT (VERSION => n)``.
    Raises ``duckdb.Error`` when the catalogue cannot be reached or no lake has been made yet.
    """
    load_extensions(connection)
    connection.execute(f"set disabled_optimizers = '{MISLED}'")
    _attach(connection, settings, "read_only" if snapshot is None else f"snapshot_version {int(snapshot)}")


def attach_writer(connection: duckdb.DuckDBPyConnection, settings: Settings) -> None:
    """Attaches the lake for writing, making it at first use. For the holder of the writer's lock only."""
    load_extensions(connection)
    _attach(connection, settings, "encrypted")


def attach_store(connection: duckdb.DuckDBPyConnection, settings: Settings, alias: str = "store") -> None:
    """Attaches the operational store for reading as ``kmis_writer``; ask it through ``postgres_query``."""
    place = _quoted(_unhurried(conninfo(settings, "kmis_writer")))
    connection.execute(f"attach if not exists '{place}' as {alias} (type postgres, read_only)")


def current_snapshot(connection: duckdb.DuckDBPyConnection) -> int:
    """Number of the newest snapshot of the attached lake."""
    row = connection.execute("select id from lake.current_snapshot()").fetchone()
    return int(row[0]) if row else 0


def _attach(connection: duckdb.DuckDBPyConnection, settings: Settings, mode: str) -> None:
    connection.execute(
        f"attach if not exists '{_quoted(catalogue_path(settings))}' as {ALIAS}"
        f" (data_path '{_quoted(str(data_path(settings)))}', override_data_path true,"
        f" metadata_schema '{METADATA_SCHEMA}', {mode})"
    )
    connection.execute(f"set timezone = '{_quoted(settings.timezone)}'")


def _unhurried(address: str) -> str:
    """The address with a longer limit: the session idles in its transaction while DuckDB works on one statement."""
    known = conninfo_to_dict(address)
    options = f"{known.pop('options', None) or ''} -c idle_in_transaction_session_timeout={STATEMENT}".strip()
    return make_conninfo("", **known, options=options)


def _quoted(text: str) -> str:
    return text.replace("'", "''")


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace(":", "\\:")
