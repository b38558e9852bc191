"""Persons across organisations: merges, moves between attachments, and search by name through its index."""

from __future__ import annotations

from alembic import op

revision = "2026_11_24_persons"
down_revision = "2026_11_24_guards"
branch_labels = None
depends_on = None

DEFINED = (
    "kmis_end_attachment(bigint, date)", "kmis_persons_named(jsonb)", "kmis_persons_alike(text, double precision)",
)  # fmt: skip

FOLLOW_MERGES = """
-- After a merge or its taking back: every record that standing decisions lead through the source names the
-- record that they end at, and every organisation that sees one of them sees all. It runs for its owner because
-- records below the source may belong to organisations outside the scope.
create function kmis_follow_merges() returns trigger
language plpgsql security definer set search_path = public, pg_temp as $$
declare
    v_survivor bigint;
    v_below bigint[];
begin
    with recursive above as (
        select new.source_patient_id as id
        union
        select m.target_patient_id from patient_merge as m join above on above.id = m.source_patient_id
        where m.separated_at is null
    )
    select above.id into v_survivor from above
    where not exists (
        select from patient_merge as m where m.source_patient_id = above.id and m.separated_at is null
    );
    if v_survivor is null then
        raise exception 'merges may not close a ring'
            using errcode = 'check_violation', constraint = 'ck_patient_merge_no_ring';
    end if;
    with recursive below as (
        select new.source_patient_id as id
        union
        select m.source_patient_id from patient_merge as m join below on below.id = m.target_patient_id
        where m.separated_at is null
    )
    select array_agg(below.id) into v_below from below;
    update patient as p set merged_into_id = nullif(v_survivor, p.id)
    where p.id = any (v_below) and p.merged_into_id is distinct from nullif(v_survivor, p.id);
    if tg_op = 'INSERT' then
        insert into patient_access (patient_id, organisation_id, basis)
        select distinct member.id, a.organisation_id, 'merge'
        from unnest(v_below || v_survivor) as member (id), patient_access as a
        where a.patient_id = any (v_below || v_survivor)
        on conflict (organisation_id, patient_id) do nothing;
    end if;
    return null;
end $$
"""

END_ATTACHMENT = """
-- Ends an attachment, also one that another organisation holds, because the person moves: only for a person
-- whom the scope sees. The feed keeps who did it and why.
create function kmis_end_attachment(p_attachment bigint, p_day date) returns void
language plpgsql security definer set search_path = public, pg_temp as $$
begin
    update attachment as t set valid_to = p_day
    where t.id = p_attachment and t.valid_from < p_day
        and exists (select from patient_access as a
                    where a.patient_id = t.patient_id and a.organisation_id = any (kmis_scope()));
    if not found then
        raise exception 'no such attachment in the scope' using errcode = 'insufficient_privilege';
    end if;
end $$
"""

PERSONS_NAMED = """
-- The persons visible in the scope whose name_key matches all patterns of one of the readings ([["% a%"], …]).
-- Row-level security lets no LIKE of the caller reach the trigram index, because LIKE is not leakproof; here the
-- index is used, and the scope is asked of what it finds.
create function kmis_persons_named(p_readings jsonb) returns setof bigint
language plpgsql stable security definer set search_path = public, pg_temp rows 200 as $$
declare
    v_condition text;
begin
    select string_agg('(' || (
        select string_agg(format('p.name_key like %L', pattern), ' and ')
        from jsonb_array_elements_text(reading) as pattern
    ) || ')', ' or ') into v_condition
    from jsonb_array_elements(p_readings) as reading where jsonb_array_length(reading) > 0;
    if v_condition is null then
        return;
    end if;
    return query execute 'select p.id from patient as p where (' || v_condition || ') and exists ('
        'select from patient_access as a where a.patient_id = p.id and a.organisation_id = any (kmis_scope()))';
end $$
"""

PERSONS_ALIKE = """
-- The persons visible in the scope whose name_key holds words alike to p_name, the threshold from 0 to 1.
create function kmis_persons_alike(p_name text, p_least double precision) returns setof bigint
language plpgsql stable security definer set search_path = public, pg_temp rows 200 as $$
begin
    perform set_config('pg_trgm.word_similarity_threshold', p_least::text, true);
    return query select p.id from patient as p
        where p_name <% p.name_key and exists (
            select from patient_access as a where a.patient_id = p.id and a.organisation_id = any (kmis_scope())
        );
end $$
"""


def upgrade() -> None:
    op.execute(FOLLOW_MERGES)
    op.execute(
        "create trigger kmis_follow_merges after insert or update on patient_merge"
        " for each row execute function kmis_follow_merges()"
    )
    op.execute(END_ATTACHMENT)
    op.execute(PERSONS_NAMED)
    op.execute(PERSONS_ALIKE)
    for function in DEFINED:
        op.execute(f"revoke all on function {function} from public")
        op.execute(f"grant execute on function {function} to kmis_app")


def downgrade() -> None:
    for function in DEFINED:
        op.execute(f"drop function {function}")
    op.execute("drop trigger kmis_follow_merges on patient_merge")
    op.execute("drop function kmis_follow_merges()")
