"""Bring the operational schema to the newest migration; the only way in which a schema is made."""

from __future__ import annotations

from pathlib import Path

import psycopg
from alembic import command
from alembic.config import Config

from kmis.postgres import ServerError, admin_connection
from kmis.settings import Settings


def alembic_config(settings: Settings) -> Config:
    """Alembic's configuration for one installation; there is no alembic.ini."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("file_template", "%%(year)d-%%(month).2d-%%(day).2d_%%(slug)s")
    config.attributes["settings"] = settings
    return config


def migrate(settings: Settings) -> None:
    """Run the migrations that are missing, then open a feed epoch if this server has none."""
    command.upgrade(alembic_config(settings), "head")
    with admin_connection(settings) as connection:
        row = connection.execute("select system_identifier::text from pg_control_system()").fetchone()
        if row is None:
            raise ServerError("the server does not tell its system identifier")
    with psycopg.connect(settings.dsn("kmis_owner")) as connection:
        connection.execute(
            "insert into feed_epoch (system_identifier, reason)"
            " select %(id)s, case when exists (select from feed_epoch) then 'another server' else 'first start' end"
            " where not exists (select from feed_epoch where id = (select max(id) from feed_epoch)"
            " and system_identifier = %(id)s)",
            {"id": row[0]},
        )
        connection.execute("select kmis_feed_partitions(now())")
