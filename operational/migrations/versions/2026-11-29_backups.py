"""Backups and their tested restores, for the status page."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "2026_11_29_backups"
down_revision = "2026_11_29_feed_epochs"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "backup_run",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default=sa.text("'running'"), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("repository", sa.Text(), nullable=False),
        sa.Column("restic_snapshot", sa.Text(), nullable=True),
        sa.Column("snapshot_id", sa.BigInteger(), nullable=True),
        sa.Column("bytes", sa.BigInteger(), nullable=True),
        sa.Column("added_bytes", sa.BigInteger(), nullable=True),
        sa.Column("files", sa.BigInteger(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.CheckConstraint("kind in ('backup','restore_test','restore','upgrade')", name=op.f("ck_backup_run_kind")),
        sa.CheckConstraint("state in ('running','done','failed')", name=op.f("ck_backup_run_state")),
        sa.CheckConstraint("(state = 'running') = (finished_at is null)", name=op.f("ck_backup_run_finished")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_backup_run")),
    )
    op.create_index("ix_backup_run_kind", "backup_run", ["kind", "id"], unique=False)
    op.execute("grant select on backup_run to kmis_app, kmis_writer")


def downgrade() -> None:
    op.drop_table("backup_run")
