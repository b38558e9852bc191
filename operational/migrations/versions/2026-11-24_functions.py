"""Functions that the tables' constraints and policies call."""

from __future__ import annotations

from alembic import op

revision = "2026_11_24_functions"
down_revision = None
branch_labels = None
depends_on = None

IIN = """
-- Check digit of the individual identification number: two rounds of weights (the second when the first gives
-- ten); source: rules of forming the IIN, Government decree No 853 of 2003-08-22, from general knowledge, verify.
create function kmis_iin_valid(p_iin text) returns boolean language sql immutable strict parallel safe as $$
    select p_iin ~ '^[0-9]{12}$' and substr(p_iin, 12, 1)::int = (
        select case when first.rest < 10 then first.rest when second.rest < 10 then second.rest else -1 end
        from (select sum(substr(p_iin, i, 1)::int * i) % 11 as rest from generate_series(1, 11) as i) as first,
             (select sum(substr(p_iin, i, 1)::int * ((i + 1) % 11 + 1)) % 11 as rest
              from generate_series(1, 11) as i) as second
    )
$$
"""

SCOPE = """
-- The organisations of the acting user, set for one transaction; null without a scope: no row is visible then.
create function kmis_scope() returns bigint[] language sql stable parallel safe as $$
    select string_to_array(nullif(current_setting('kmis.scope', true), ''), ',')::bigint[]
$$
"""

ACTOR = """
create function kmis_actor() returns bigint language sql stable parallel safe as $$
    select nullif(current_setting('kmis.user_id', true), '')::bigint
$$
"""

REFERRAL = """
create function kmis_referral_number() returns text language sql volatile as $$
    select to_char(now(), 'YY') || '-' || lpad(nextval('referral_no_seq')::text, 8, '0')
$$
"""


def upgrade() -> None:
    op.execute("create sequence patient_no_seq as integer")
    op.execute("create sequence referral_no_seq")
    for statement in (IIN, SCOPE, ACTOR, REFERRAL):
        op.execute(statement)


def downgrade() -> None:
    op.execute("drop function kmis_referral_number(), kmis_actor(), kmis_scope(), kmis_iin_valid(text)")
    op.execute("drop sequence referral_no_seq, patient_no_seq")
