"""What the writer tells about the lake, the months of the feed that were proved, and what gates saw."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "2026_11_29_lake_state"
down_revision = "2026_11_29_backups"
branch_labels = None
depends_on = None

WAITING = """
-- What the lake has not read: entries beyond the newest publication, counted up to a limit, and the oldest of them.
create function kmis_feed_waiting(p_limit bigint default 100000)
returns table (entries bigint, oldest_at timestamptz)
language sql stable security definer set search_path = public, pg_temp as $$
    select count(*), min(w.recorded_at) from (
        select f.recorded_at from change_feed as f
        where f.xid > coalesce((select p.watermark_xid from published as p order by p.id desc limit 1), 0)::text::xid8
        order by f.xid, f.id limit p_limit) as w
$$
"""

HOLDER = """
-- The session whose open transaction is the oldest that writes: it keeps the watermark back. No statement text.
create function kmis_watermark_holder()
returns table (pid integer, application text, role text, client text, since timestamptz, state text)
language sql stable security definer set search_path = public, pg_temp as $$
    select l.pid, a.application_name, a.usename::text, host(a.client_addr), a.xact_start, a.state
    from pg_locks as l left join pg_stat_activity as a on a.pid = l.pid
    where l.locktype = 'transactionid' and l.granted and l.mode = 'ExclusiveLock' and l.pid <> pg_backend_pid()
    order by age(l.transactionid) desc limit 1
$$
"""

DROP_MONTH = """
-- Drops the partition of one month of the feed. Refuses unless a verification has read back from bronze exactly what
-- the partition holds now, every reader's watermark has passed it, and it is neither this month nor the one before.
-- The audit keeps what was dropped; gives the number of its entries. Waits two seconds for the table, no longer.
create function kmis_drop_feed_month(p_month date) returns bigint
language plpgsql security definer set search_path = public, pg_temp set lock_timeout = '2s' as $$
declare
    v_name text := 'change_feed_' || to_char(p_month, 'YYYY_MM');
    v_known feed_month;
    v_entries bigint;
    v_last bigint;
    v_xid xid8;
    v_bytes bigint;
begin
    select * into v_known from feed_month where month = p_month for update;
    if v_known is null or v_known.verified_at is null or v_known.dropped_at is not null then
        raise exception 'month % of the feed is not verified', p_month using errcode = 'check_violation';
    end if;
    if p_month >= date_trunc('month', now(), 'UTC') - interval '1 month' then
        raise exception 'month % of the feed is too young', p_month using errcode = 'check_violation';
    end if;
    if not exists (select from pg_inherits where inhparent = 'change_feed'::regclass
                   and inhrelid = to_regclass('public.' || v_name)) then
        raise exception 'the feed has no partition of month %', p_month using errcode = 'check_violation';
    end if;
    execute format('lock table %I in share mode', v_name);
    execute format('select count(*), max(id), pg_total_relation_size(%L) from %I', v_name, v_name)
        into v_entries, v_last, v_bytes;
    execute format('select xid from %I order by xid desc limit 1', v_name) into v_xid;
    if v_entries <> v_known.entries or v_last is distinct from v_known.last_feed_id then
        raise exception 'month % of the feed has changed since it was verified', p_month
            using errcode = 'check_violation';
    end if;
    if v_xid > coalesce((select watermark_xid from published order by id desc limit 1), 0)::text::xid8 then
        raise exception 'the watermark has not passed month % of the feed', p_month using errcode = 'check_violation';
    end if;
    execute format('drop table %I', v_name);
    update feed_month set dropped_at = now(), bytes = v_bytes where month = p_month;
    insert into audit_event (action, object_table, detail) values ('feed.month_dropped', 'change_feed',
        jsonb_build_object('month', p_month, 'entries', v_entries, 'last_feed_id', v_last, 'bytes', v_bytes,
                           'snapshot', v_known.snapshot_id, 'verified_at', v_known.verified_at));
    return v_entries;
end $$
"""

RIGHTS = """
grant select on lake_state, lake_history, feed_month, gate_look to kmis_app;
grant select, insert, update on lake_state to kmis_writer;
grant select, insert, update, delete on lake_history, gate_look to kmis_writer;
grant delete on lake_pass, pass_request to kmis_writer;
grant select on feed_month to kmis_writer;
grant insert (month, entries, last_feed_id, digest, verified_at, snapshot_id) on feed_month to kmis_writer;
grant update (entries, last_feed_id, digest, verified_at, snapshot_id) on feed_month to kmis_writer;
revoke all on function kmis_feed_waiting(bigint), kmis_watermark_holder(), kmis_drop_feed_month(date) from public;
grant execute on function kmis_feed_waiting(bigint), kmis_watermark_holder() to kmis_app, kmis_writer;
grant execute on function kmis_drop_feed_month(date) to kmis_writer;
grant usage on all sequences in schema public to kmis_writer
"""


def upgrade() -> None:
    op.create_table(
        "lake_state",
        sa.Column("id", sa.BigInteger(), server_default=sa.text("1"), nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_lake_state_one_row")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lake_state")),
    )
    op.create_table(
        "lake_history",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("parts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lake_history")),
        sa.UniqueConstraint("at", name=op.f("uq_lake_history_at")),
    )
    op.create_table(
        "feed_month",
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("entries", sa.BigInteger(), nullable=False),
        sa.Column("last_feed_id", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.Numeric(precision=40, scale=0), nullable=False),
        sa.Column("verified_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("snapshot_id", sa.BigInteger(), nullable=False),
        sa.Column("dropped_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("bytes", sa.BigInteger(), nullable=True),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_feed_month")),
        sa.UniqueConstraint("month", name=op.f("uq_feed_month_month")),
    )
    op.create_table(
        "gate_look",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("gate", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("entries", sa.BigInteger(), nullable=False),
        sa.Column("rules", sa.BigInteger(), nullable=False),
        sa.Column("broken", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gate_look")),
    )
    for statement in (WAITING, HOLDER, DROP_MONTH, *RIGHTS.split(";")):
        op.execute(statement)


def downgrade() -> None:
    op.execute("drop function kmis_drop_feed_month(date), kmis_watermark_holder(), kmis_feed_waiting(bigint)")
    for table in ("gate_look", "feed_month", "lake_history", "lake_state"):
        op.drop_table(table)
