"""Feed epochs: a restored or replaced server goes on above every transaction id that the feed has.

Transaction ids of another server begin low again. The feed keeps ids that never fall: the server's own plus the
``xid_offset`` of its epoch, which the column's default adds, so that the triggers pay nothing for it.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "2026_11_29_feed_epochs"
down_revision = "2026_11_24_pregnancy_guards"
branch_labels = None
depends_on = None

OPEN_EPOCH = """
-- For the owner only. Waits for the transactions that write to the feed, and keeps others out until it commits.
create function kmis_open_epoch(p_reason text) returns bigint
language plpgsql set search_path = public, pg_temp as $$
declare
    v_offset bigint;
    v_id bigint;
begin
    lock table change_feed in access exclusive mode;
    v_offset := greatest(
        coalesce((select max(xid::text::bigint) from change_feed), 0),
        coalesce((select max(watermark_xid) from published), 0)
    );
    insert into feed_epoch (system_identifier, reason, xid_offset)
        select system_identifier::text, p_reason, v_offset from pg_control_system() returning id into v_id;
    if v_offset > 0 then
        execute format('alter table change_feed alter column xid'
            ' set default ((pg_current_xact_id()::text::bigint + %s)::text::xid8)', v_offset);
    end if;
    return v_id;
end $$
"""


def upgrade() -> None:
    op.add_column("feed_epoch", sa.Column("xid_offset", sa.BigInteger(), server_default=sa.text("0"), nullable=False))
    op.create_check_constraint(op.f("ck_feed_epoch_xid_offset"), "feed_epoch", "xid_offset >= 0")
    op.execute(OPEN_EPOCH)
    op.execute("revoke all on function kmis_open_epoch(text) from public")


def downgrade() -> None:
    op.execute("drop function kmis_open_epoch(text)")
    op.drop_constraint("ck_feed_epoch_xid_offset", "feed_epoch", type_="check")
    op.drop_column("feed_epoch", "xid_offset")
