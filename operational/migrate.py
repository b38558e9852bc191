"""Bring the operational schema to the newest migration; the only way in which a schema is made."""

from __future__ import annotations

from pathlib import Path

import psycopg
from alembic import command
from alembic.config import Config
from psycopg.rows import TupleRow

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
        newest = connection.execute("select system_identifier from feed_epoch order by id desc limit 1").fetchone()
        if newest is None or newest[0] != row[0]:
            open_epoch(connection, "another server" if newest else "first start")
        connection.execute("select kmis_feed_partitions(now())")


def open_epoch(connection: psycopg.Connection[TupleRow], reason: str) -> int:
    """Begin a new stretch of the feed, in the owner's transaction; gives its number.

    For a store that went back to an earlier state, or to another server: what it writes from now on follows after
    everything that the feed has.
    """
    row = connection.execute("select kmis_open_epoch(%s)", (reason,)).fetchone()
    if row is None:
        raise AssertionError("the function gives one row")
    return int(row[0])
