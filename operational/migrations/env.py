"""Alembic's environment: connects as the owner of the schema."""

from __future__ import annotations

from typing import Any

from alembic import context
from sqlalchemy import create_engine, pool
from sqlalchemy.dialects.postgresql.base import PGDialect

from kmis.settings import get_settings
from operational.kit.models import XID8
from operational.models import Base


def ours(obj: Any, name: str | None, kind: str, reflected: bool, compare_to: Any) -> bool:
    """Partitions of the feed are made by the database itself."""
    return not (kind == "table" and reflected and (name or "").startswith("change_feed_"))


def run() -> None:
    settings = context.config.attributes.get("settings") or get_settings()
    address = settings.url("kmis_owner").set(drivername="postgresql+psycopg")
    engine = create_engine(address, poolclass=pool.NullPool)
    PGDialect.ischema_names.setdefault("xid8", XID8)
    with engine.connect() as connection:
        connection.exec_driver_sql("set lock_timeout = '10s'")
        connection.commit()
        context.configure(
            connection=connection, target_metadata=Base.metadata, include_object=ours, compare_type=True,
            transaction_per_migration=True,
        )  # fmt: skip
        with context.begin_transaction():
            context.run_migrations()


run()
