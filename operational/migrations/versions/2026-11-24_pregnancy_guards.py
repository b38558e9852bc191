"""Guards of pregnancies: whose they are, what lies inside them, who leads, what ends them."""

from __future__ import annotations

from alembic import op

revision = "2026_11_24_pregnancy_guards"
down_revision = "2026_11_24_care_guards"
branch_labels = None
depends_on = None

OF_A_WOMAN = """
create function kmis_pregnancy_of_woman() returns trigger
language plpgsql security definer set search_path = public, pg_temp as $$
begin
    if exists (select from patient where id = new.patient_id and sex = 'M') then
        raise exception 'a pregnancy belongs to a woman'
            using errcode = 'check_violation', constraint = 'ck_pregnancy_woman';
    end if;
    return null;
end $$
"""

VISIT_IN_TERM = """
-- A visit lies between the last menstruation and the end of its pregnancy (days are local, hence the 14 hours), and
-- only an organisation that leads the pregnancy at that time writes one.
create function kmis_pregnancy_visit_in_term() returns trigger
language plpgsql security definer set search_path = public, pg_temp as $$
declare
    v_first date := ((new.visited_at - interval '14 hours') at time zone 'UTC')::date;
    v_last date := ((new.visited_at + interval '14 hours') at time zone 'UTC')::date;
begin
    if new.voided_at is not null then
        return null;
    end if;
    if not exists (select from pregnancy where id = new.pregnancy_id and last_menstrual_date <= v_last
            and (ended_on is null or ended_on >= v_first)) then
        raise exception 'a visit outside the pregnancy'
            using errcode = 'check_violation', constraint = 'ck_pregnancy_visit_in_term';
    end if;
    if tg_op = 'INSERT' and not exists (select from pregnancy_care where pregnancy_id = new.pregnancy_id
            and owner_organisation_id = new.owner_organisation_id and valid_from <= v_last
            and (valid_to is null or valid_to >= v_first)) then
        raise exception 'a visit by an organisation that does not lead the pregnancy'
            using errcode = 'check_violation', constraint = 'ck_pregnancy_visit_led';
    end if;
    return null;
end $$
"""

HOLDS_VISITS = """
create function kmis_pregnancy_holds_visits() returns trigger
language plpgsql security definer set search_path = public, pg_temp as $$
begin
    if exists (
        select from pregnancy_visit where pregnancy_id = new.id and voided_at is null
            and (((visited_at + interval '14 hours') at time zone 'UTC')::date < new.last_menstrual_date
                or ((visited_at - interval '14 hours') at time zone 'UTC')::date > new.ended_on)
    ) then
        raise exception 'a visit would lie outside the pregnancy'
            using errcode = 'check_violation', constraint = 'ck_pregnancy_holds_visits';
    end if;
    return null;
end $$
"""

BIRTH_ENDS = """
-- A birth ends its pregnancy, also when another organisation than the leading one writes it; when the last birth is
-- voided the pregnancy is open again.
create function kmis_birth_ends_pregnancy() returns trigger
language plpgsql security definer set search_path = public, pg_temp as $$
declare
    v_day date;
begin
    select min(delivery_date) into v_day from birth where pregnancy_id = new.pregnancy_id and voided_at is null;
    if v_day is not null then
        update pregnancy set ended_on = v_day, outcome = 'birth'
        where id = new.pregnancy_id and voided_at is null and (ended_on is null or outcome = 'birth')
            and ended_on is distinct from v_day;
    elsif tg_op = 'UPDATE' then
        update pregnancy set ended_on = null, outcome = null
        where id = new.pregnancy_id and outcome = 'birth' and old.voided_at is null;
    end if;
    return null;
end $$
"""

DEATH_ENDS = """
-- The death of a woman ends her open pregnancy; when the death is taken back the pregnancy is open again.
create function kmis_death_ends_pregnancy() returns trigger
language plpgsql security definer set search_path = public, pg_temp as $$
declare
    v_person bigint := coalesce(new.merged_into_id, new.id);
begin
    update pregnancy as p set ended_on = null, outcome = null
    where p.outcome = 'mother_died' and p.ended_on = old.death_date and new.death_date is distinct from old.death_date
        and p.patient_id in (
            select id from patient where id = v_person or merged_into_id = v_person);
    update pregnancy as p set ended_on = new.death_date, outcome = 'mother_died'
    where p.ended_on is null and p.voided_at is null and new.death_date >= p.last_menstrual_date
        and p.patient_id in (
            select id from patient where id = v_person or merged_into_id = v_person)
        and not exists (select from pregnancy_visit as v where v.pregnancy_id = p.id and v.voided_at is null
            and ((v.visited_at - interval '14 hours') at time zone 'UTC')::date > new.death_date);
    return null;
end $$
"""

# Whoever leads a pregnancy now also corrects what an organisation before it wrote about risk, plan and visits.
LED = ("pregnancy_risk_factor", "planned_pregnancy_visit", "pregnancy_visit")


def upgrade() -> None:
    for function in (OF_A_WOMAN, VISIT_IN_TERM, HOLDS_VISITS, BIRTH_ENDS, DEATH_ENDS):
        op.execute(function)
    op.execute(
        "create trigger kmis_pregnancy_of_woman after insert or update of patient_id on pregnancy for each row"
        " execute function kmis_pregnancy_of_woman()"
    )
    op.execute(
        "create trigger kmis_pregnancy_holds_visits after update of last_menstrual_date, ended_on on pregnancy"
        " for each row execute function kmis_pregnancy_holds_visits()"
    )
    op.execute(
        "create trigger kmis_pregnancy_visit_in_term after insert or update of visited_at, voided_at on pregnancy_visit"
        " for each row execute function kmis_pregnancy_visit_in_term()"
    )
    op.execute(
        "create trigger kmis_birth_ends_pregnancy after insert or update of voided_at, delivery_date on birth"
        " for each row when (new.pregnancy_id is not null) execute function kmis_birth_ends_pregnancy()"
    )
    op.execute(
        "create trigger kmis_death_ends_pregnancy after update of death_date on patient for each row"
        " when (new.death_date is distinct from old.death_date) execute function kmis_death_ends_pregnancy()"
    )
    for table in LED:
        op.execute(
            f"create policy led on {table} for update to kmis_app using (exists (select from pregnancy_care as c"
            f" where c.pregnancy_id = {table}.pregnancy_id and c.valid_to is null"
            " and c.owner_organisation_id = any ((select kmis_scope())::bigint[]))) with check (true)"
        )


def downgrade() -> None:
    raise RuntimeError("the guards of patient data are not taken away; restore a backup instead")
