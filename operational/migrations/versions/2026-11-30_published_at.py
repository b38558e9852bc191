"""Publications by their time: the writer asks each minute which snapshots an open page may still show."""

from __future__ import annotations

from alembic import op

revision = "2026_11_30_published_at"
down_revision = "2026_11_29_lake_state"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_published_published_at", "published", ["published_at"])


def downgrade() -> None:
    op.drop_index("ix_published_published_at", table_name="published")
