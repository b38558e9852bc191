"""Tables that belong to no domain: change feed, epochs, publications, outbox, lake passes, unloads."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity, Index, Numeric, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import UserDefinedType

from operational.kit.base import Base, Created, Key


class XID8(UserDefinedType[int]):
    """PostgreSQL's 64-bit transaction id."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        return "xid8"


class ChangeFeed(Base):
    """Every change of every fed table, in one append-only table, partitioned by month; triggers write it."""

    __tablename__ = "change_feed"
    __table_args__ = (
        CheckConstraint("operation in ('I','U','D')", name="operation"),
        Index("ix_change_feed_xid_id", "xid", "id"),
        {"postgresql_partition_by": "RANGE (recorded_at)"},
    )
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    recorded_at: Mapped[datetime] = mapped_column(primary_key=True, server_default=func.now())
    xid: Mapped[int] = mapped_column(XID8, server_default=text("pg_current_xact_id()"))
    table_name: Mapped[str]
    key: Mapped[int]
    operation: Mapped[str]
    actor_id: Mapped[int | None]
    reason: Mapped[str | None]
    new_row: Mapped[dict[str, Any] | None]
    old_row: Mapped[dict[str, Any] | None]


class FeedEpoch(Base):
    """A stretch of the feed on one server; a restore or another server opens a new one.

    The feed's transaction ids are the server's plus ``xid_offset``, so that they never fall from epoch to epoch.
    """

    __tablename__ = "feed_epoch"
    __table_args__ = (CheckConstraint("xid_offset >= 0", name="xid_offset"),)
    id: Mapped[Key]
    system_identifier: Mapped[str]
    started_at: Mapped[Created]
    reason: Mapped[str]
    xid_offset: Mapped[int] = mapped_column(server_default=text("0"))


class Published(Base):
    """One row per published snapshot of the lake: what every reader reads."""

    __tablename__ = "published"
    __table_args__ = (Index("ix_published_published_at", "published_at"),)
    id: Mapped[Key]
    snapshot_id: Mapped[int] = mapped_column(index=True)
    epoch_id: Mapped[int] = mapped_column(ForeignKey("feed_epoch.id"))
    watermark_xid: Mapped[int]
    event_at: Mapped[datetime | None]
    published_at: Mapped[Created]
    duration_ms: Mapped[int]
    state: Mapped[str] = mapped_column(server_default=text("'ok'"))
    reconciliation: Mapped[dict[str, Any] | None]
    serve_file: Mapped[str | None]


class SnapshotPin(Base):
    """Who needs a snapshot kept: an unload, a report, a backup."""

    __tablename__ = "snapshot_pin"
    id: Mapped[Key]
    snapshot_id: Mapped[int] = mapped_column(index=True)
    reason: Mapped[str]
    pinned_by: Mapped[str | None]
    pinned_at: Mapped[Created]
    released_at: Mapped[datetime | None]


class LakePass(Base):
    """One pass of the writer from the feed to gold, or of its maintenance, successful or not."""

    __tablename__ = "lake_pass"
    __table_args__ = (
        CheckConstraint("kind in ('refresh','rebuild','maintenance','verification')", name="kind"),
        CheckConstraint("state in ('running','published','unchanged','done','failed')", name="state"),
    )
    id: Mapped[Key]
    kind: Mapped[str] = mapped_column(server_default=text("'refresh'"))
    state: Mapped[str] = mapped_column(server_default=text("'running'"))
    step: Mapped[str] = mapped_column(server_default=text("''"))
    started_at: Mapped[Created]
    finished_at: Mapped[datetime | None]
    from_xid: Mapped[int | None]
    to_xid: Mapped[int | None]
    feed_rows: Mapped[int] = mapped_column(server_default=text("0"))
    models: Mapped[int] = mapped_column(server_default=text("0"))
    snapshot_id: Mapped[int | None]
    error: Mapped[str | None]
    detail: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))


class PassRequest(Base):
    """A wish for a pass, answered by the writer."""

    __tablename__ = "pass_request"
    __table_args__ = (
        CheckConstraint("kind in ('refresh','rebuild','maintenance','verification')", name="kind"),
        CheckConstraint("state in ('waiting','running','done','failed')", name="state"),
        Index("ix_pass_request_waiting", "id", postgresql_where=text("state = 'waiting'")),
    )
    id: Mapped[Key]
    kind: Mapped[str] = mapped_column(server_default=text("'refresh'"))
    requested_at: Mapped[Created]
    requested_by: Mapped[str]
    pass_id: Mapped[int | None] = mapped_column(ForeignKey("lake_pass.id"))
    finished_at: Mapped[datetime | None]
    state: Mapped[str] = mapped_column(server_default=text("'waiting'"))
    error: Mapped[str | None]


class OutboxMessage(Base):
    """A message owed to a subscriber or another system, written in the transaction that causes it."""

    __tablename__ = "outbox_message"
    __table_args__ = (
        CheckConstraint("status in ('waiting','delivered','failed','cancelled')", name="status"),
        Index("ix_outbox_message_due", "next_attempt_at", postgresql_where=text("status = 'waiting'")),
    )
    id: Mapped[Key]
    topic: Mapped[str]
    partner: Mapped[str]
    order_key: Mapped[str | None]
    payload: Mapped[dict[str, Any]]
    owner_organisation_id: Mapped[int | None] = mapped_column(ForeignKey("organisation.id"))
    created_at: Mapped[Created]
    status: Mapped[str] = mapped_column(server_default=text("'waiting'"))
    attempts: Mapped[int] = mapped_column(server_default=text("0"))
    next_attempt_at: Mapped[Created]
    delivered_at: Mapped[datetime | None]


class OutboxAttempt(Base):
    """One attempt to deliver a message; committed apart from the message."""

    __tablename__ = "outbox_attempt"
    id: Mapped[Key]
    message_id: Mapped[int] = mapped_column(ForeignKey("outbox_message.id"), index=True)
    started_at: Mapped[Created]
    finished_at: Mapped[datetime | None]
    outcome: Mapped[str | None]
    error: Mapped[str | None]


class UnloadLog(Base):
    """Every file that left the system: who made it, of what, from which snapshot, with which checksum."""

    __tablename__ = "unload_log"
    __table_args__ = (CheckConstraint("status in ('waiting','running','ready','failed')", name="status"),)
    id: Mapped[Key]
    product: Mapped[str]
    format: Mapped[str] = mapped_column(server_default=text("'xlsx'"))
    language: Mapped[str] = mapped_column(server_default=text("'ru'"))
    snapshot_id: Mapped[int]
    criteria: Mapped[dict[str, Any]]
    rows: Mapped[int | None]
    sha256: Mapped[str | None]
    file_name: Mapped[str | None]
    user_id: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"), index=True)
    organisation_ids: Mapped[list[int]] = mapped_column(JSONB, server_default=text("'[]'"))
    show_identifiers: Mapped[bool] = mapped_column(server_default=text("false"))
    created_at: Mapped[Created]
    finished_at: Mapped[datetime | None]
    status: Mapped[str] = mapped_column(server_default=text("'waiting'"))
    progress: Mapped[int] = mapped_column(server_default=text("0"))
    error: Mapped[str | None]


class LakeState(Base):
    """What the writer last told about the lake, the disk and itself; one row, replaced at most each minute."""

    __tablename__ = "lake_state"
    __table_args__ = (CheckConstraint("id = 1", name="one_row"),)
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, server_default=text("1"))
    written_at: Mapped[datetime]
    state: Mapped[dict[str, Any]]


class LakeHistory(Base):
    """Bytes of each part of the installation, once an hour."""

    __tablename__ = "lake_history"
    id: Mapped[Key]
    at: Mapped[datetime] = mapped_column(unique=True)
    parts: Mapped[dict[str, Any]]


class FeedMonth(Base):
    """A month of the feed that a verification has read back from bronze, and whether its partition was dropped."""

    __tablename__ = "feed_month"
    id: Mapped[Key]
    month: Mapped[date] = mapped_column(unique=True)
    entries: Mapped[int]
    last_feed_id: Mapped[int]
    digest: Mapped[Decimal] = mapped_column(Numeric(40, 0))
    verified_at: Mapped[datetime]
    snapshot_id: Mapped[int]
    dropped_at: Mapped[datetime | None]
    bytes: Mapped[int | None]


class GateLook(Base):
    """One look of a quality gate: entries looked at, rules, and the names of the broken ones."""

    __tablename__ = "gate_look"
    id: Mapped[Key]
    gate: Mapped[str]
    at: Mapped[datetime]
    entries: Mapped[int]
    rules: Mapped[int]
    broken: Mapped[list[str]] = mapped_column(JSONB, server_default=text("'[]'"))


class BackupRun(Base):
    """One backup, tested restore, restore or upgrade; after a restore, what was known when its backup was made."""

    __tablename__ = "backup_run"
    __table_args__ = (
        CheckConstraint("kind in ('backup','restore_test','restore','upgrade')", name="kind"),
        CheckConstraint("state in ('running','done','failed')", name="state"),
        CheckConstraint("(state = 'running') = (finished_at is null)", name="finished"),
        Index("ix_backup_run_kind", "kind", "id"),
    )
    id: Mapped[Key]
    kind: Mapped[str]
    state: Mapped[str] = mapped_column(server_default=text("'running'"))
    started_at: Mapped[Created]
    finished_at: Mapped[datetime | None]
    repository: Mapped[str]
    restic_snapshot: Mapped[str | None]
    snapshot_id: Mapped[int | None]
    bytes: Mapped[int | None]
    added_bytes: Mapped[int | None]
    files: Mapped[int | None]
    error: Mapped[str | None]


__all__ = [
    "XID8",
    "BackupRun",
    "ChangeFeed",
    "FeedEpoch",
    "FeedMonth",
    "GateLook",
    "LakeHistory",
    "LakePass",
    "LakeState",
    "OutboxAttempt",
    "OutboxMessage",
    "PassRequest",
    "Published",
    "SnapshotPin",
    "UnloadLog",
]  # fmt: skip
