"""Backups and their tested restores."""

from __future__ import annotations

revision = "2026_11_29_backups"
down_revision = "2026_11_29_feed_epochs"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
