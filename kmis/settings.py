"""Settings of one installation, read from the environment (prefix ``KMIS_``).

Everything an installation keeps lies under ``home``; nothing is written elsewhere.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import tempfile
from functools import lru_cache
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy.engine import URL, make_url

Role = Literal["kmis_owner", "kmis_app", "kmis_writer", "kmis_lake"]
ROLES: tuple[Role, ...] = ("kmis_owner", "kmis_app", "kmis_writer", "kmis_lake")


class StoreNotStarted(RuntimeError):
    """The embedded server has no port yet: ``kmis up`` starts it."""


class Settings(BaseSettings):
    """One installation: where its state lies, its ports, its zone, its database."""

    model_config = SettingsConfigDict(env_prefix="KMIS_", extra="ignore")

    home: Path = Path(".kmis")
    database_url: str | None = Field(
        default=None, description="An administrator's address of a PostgreSQL server; unset: the embedded one"
    )
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=1, le=65535)
    dashboards_port: int = Field(default=8501, ge=1, le=65535)
    dagster_port: int = Field(default=3000, ge=1, le=65535)
    dicom_port: int = Field(default=11112, ge=1, le=65535)
    mllp_port: int = Field(default=2575, ge=1, le=65535)
    dicom_aet: str = Field(default="KMIS", pattern=r"^[ -~]{1,16}$", description="The listener's AE title")
    dicom_processes: int = Field(default=2, ge=1, le=16)
    dicom_associations: int = Field(default=50, ge=1, le=1000, description="At once, in each process")
    mllp_limit_bytes: int = Field(default=4 * 1024 * 1024, ge=1024, description="A longer message is refused, but kept")
    mllp_keep_bytes: int = Field(default=64 * 1024 * 1024, ge=1024, description="No more of a message is kept")
    mllp_idle_seconds: int = Field(default=60, ge=1, description="A sender silent within a message is cut off")
    mllp_connections: int = Field(default=200, ge=1, le=10_000)
    postgres_port: int = Field(default=0, ge=0, le=65535, description="0: a free port, kept under home")
    timezone: str = "Asia/Oral"
    language: Literal["kk", "ru"] = "kk"
    feed_keep_months: int = Field(default=13, ge=2, description="Verified months of the change feed are kept so long")
    storage_budget_gb: float | None = Field(default=None, gt=0, description="Unset: 80 % of the disk that home lies on")
    public_host: str | None = Field(default=None, description="Host name that users type; unset: host")
    backup_repository: str | None = Field(
        default=None, description="Where backups are kept: a folder, or s3:https://server/bucket; unset: none are made"
    )
    # Two weeks in which a fault shows by daily work, two months of weeks, and a year for what a yearly report finds.
    backup_keep_daily: int = Field(default=14, ge=1)
    backup_keep_weekly: int = Field(default=8, ge=0)
    backup_keep_monthly: int = Field(default=12, ge=0)

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    @property
    def root(self) -> Path:
        """``home`` as an absolute path."""
        return self.home.expanduser().resolve()

    @property
    def postgres_dir(self) -> Path:
        return self.root / "postgres"

    @property
    def run_dir(self) -> Path:
        return self.root / "run"

    @property
    def secrets_dir(self) -> Path:
        return self.root / "secrets"

    @property
    def lake_dir(self) -> Path:
        return self.root / "lake"

    @property
    def serve_dir(self) -> Path:
        return self.root / "serve"

    @property
    def exports_dir(self) -> Path:
        return self.root / "exports"

    @property
    def dicom_dir(self) -> Path:
        """The DICOM objects, a folder per study."""
        return self.root / "dicom"

    @property
    def spool_dir(self) -> Path:
        """What devices sent, as it came: messages, and objects in quarantine."""
        return self.root / "spool"

    @property
    def log_dir(self) -> Path:
        return self.root / "log"

    @property
    def dagster_home(self) -> Path:
        return self.root / "dagster"

    @property
    def link_host(self) -> str:
        """The one host name that every link between the parts uses, so that the session cookie travels."""
        return self.public_host or self.host

    @property
    def dagster_workspace(self) -> Path:
        """Dagster's workspace file: it names the one code server of this installation."""
        return self.dagster_home / "workspace.yaml"

    @property
    def code_socket(self) -> Path:
        """The Unix socket of Dagster's code server; short, since a socket's path has 107 characters at most."""
        digest = hashlib.sha256(str(self.root).encode()).hexdigest()[:12]
        return Path(tempfile.gettempdir()) / f"kmis-{os.getuid()}-{digest}" / "code.sock"

    def secret(self, name: str) -> str:
        """A random secret of this installation, made at first use and kept readable by its owner only."""
        file = self.secrets_dir / name
        if not file.exists():
            self.secrets_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
            fresh = file.with_suffix(f".{secrets.token_hex(4)}")
            fresh.touch(mode=0o600)
            fresh.write_text(secrets.token_urlsafe(32))
            try:
                file.hardlink_to(fresh)
            except FileExistsError:
                pass  # another process was first: its secret is the one
            finally:
                fresh.unlink()
        return file.read_text()

    def admin_url(self) -> URL:
        """The administrator's address, used to make roles and the database and for nothing else.

        Raises StoreNotStarted when the embedded server has never been started.
        """
        if self.database_url:
            return make_url(self.database_url).set(drivername="postgresql")
        record = self.run_dir / "postgres.json"
        if not record.exists():
            raise StoreNotStarted("the embedded PostgreSQL has not been started: run `kmis up`")
        port = int(json.loads(record.read_text())["port"])
        return URL.create(
            "postgresql",
            "postgres",
            self.secret("postgres"),
            host="127.0.0.1",
            port=port,
            database="postgres",
        )

    @property
    def database(self) -> str:
        """Name of the database: the one of ``database_url``, or ``kmis``."""
        named = make_url(self.database_url).database if self.database_url else None
        return "kmis" if named in (None, "", "postgres") else str(named)

    def url(self, role: Role) -> URL:
        """The address at which a role of the application connects."""
        return self.admin_url().set(username=role, password=self.secret(role), database=self.database)

    def dsn(self, role: Role) -> str:
        """The same as a libpq URI, for psycopg and DuckDB's scanner. Never log it: it holds the password."""
        return self.url(role).render_as_string(hide_password=False)


@lru_cache(maxsize=1)
def get_settings() -> Settings:
    """The settings of this process, read once."""
    return Settings()
