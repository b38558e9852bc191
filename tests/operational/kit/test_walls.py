"""Nobody sees what is not theirs: the three walls, tried by every road that reaches the store."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import psycopg
import pytest
from psycopg import errors as refusals
from sqlalchemy import Connection, func, select, text
from sqlalchemy.orm import Session, sessionmaker

from kmis.settings import Settings
from operational.domains.encounters.models import Encounter
from operational.domains.patients.models import Patient
from operational.kit.access import Scope, ScopeRequired
from operational.kit.base import PatientData
from operational.kit.db import KmisSession, apply_scope, engine, transaction
from operational.models import Base
from tests.conftest import rolled_back
from tests.factories import create_condition, create_encounter, create_patient

PATIENT_TABLES = sorted(
    mapper.class_.__tablename__ for mapper in Base.registry.mappers if issubclass(mapper.class_, PatientData)
)

VISITS = Encounter.__table__


@pytest.fixture(scope="module")
def somebody(settings: Settings, world: dict[str, int]) -> int:
    """A patient of the polyclinic with a visit and a diagnosis, committed."""
    with psycopg.connect(settings.dsn("kmis_owner")) as connection:
        patient = create_patient(connection, world["polyclinic"])
        visit = create_encounter(connection, world, patient, datetime(2026, 5, 4, 5, 0, tzinfo=UTC))
        create_condition(connection, world, visit, patient, "J06.9")
    return patient


@pytest.fixture
def raw(settings: Settings) -> Iterator[psycopg.Connection]:
    """A raw connection as kmis_app."""
    with psycopg.connect(settings.dsn("kmis_app")) as connection:
        yield connection
        connection.rollback()


@pytest.fixture
def stranger(settings: Settings, world: dict[str, int]) -> Iterator[Session]:
    """A session in the other organisation's scope."""
    scope = Scope(user_id=world["other_user"], organisation_ids=frozenset({world["other"]}))
    yield from rolled_back(settings, scope)


@pytest.mark.parametrize("table", PATIENT_TABLES)
def test_without_a_scope_a_raw_connection_gets_no_row(raw: psycopg.Connection, somebody: int, table: str) -> None:
    assert raw.execute(f"select count(*) from {table}").fetchone() == (0,)


@pytest.mark.parametrize("table", PATIENT_TABLES)
def test_another_organisation_gets_no_row(
    raw: psycopg.Connection, world: dict[str, int], somebody: int, table: str
) -> None:
    raw.execute("select set_config('kmis.scope', %s, true)", (str(world["other"]),))
    column = "id" if table == "patient" else "target_patient_id" if table == "patient_merge" else "patient_id"
    assert raw.execute(f"select count(*) from {table} where {column} = %s", (somebody,)).fetchone() == (0,)


def test_the_own_organisation_sees_the_rows(raw: psycopg.Connection, world: dict[str, int], somebody: int) -> None:
    raw.execute("select set_config('kmis.scope', %s, true)", (str(world["polyclinic"]),))
    for table, column in (("patient", "id"), ("encounter", "patient_id"), ("condition", "patient_id")):
        assert raw.execute(f"select count(*) from {table} where {column} = %s", (somebody,)).fetchone() == (1,)


def test_the_scope_ends_with_the_transaction(raw: psycopg.Connection, world: dict[str, int], somebody: int) -> None:
    raw.execute("select set_config('kmis.scope', %s, true)", (str(world["polyclinic"]),))
    raw.commit()
    assert raw.execute("select count(*) from patient").fetchone() == (0,)


def test_a_view_shows_no_more_than_its_reader_may_see(
    settings: Settings, raw: psycopg.Connection, somebody: int
) -> None:
    with psycopg.connect(settings.dsn("kmis_owner"), autocommit=True) as owner:
        owner.execute("create view all_patients with (security_invoker = true) as select * from patient")
        try:
            owner.execute("grant select on all_patients to kmis_app")
            assert raw.execute("select count(*) from all_patients").fetchone() == (0,)
            raw.rollback()
        finally:
            owner.execute("drop view all_patients")


def test_no_view_of_the_schema_runs_with_its_owners_rights(raw: psycopg.Connection) -> None:
    views = raw.execute(
        "select relname from pg_class where relkind in ('v', 'm') and relnamespace = 'public'::regnamespace"
        " and not coalesce(reloptions::text, '') like '%security_invoker=true%'"
        " and not exists (select from pg_depend where objid = pg_class.oid and deptype = 'e')"
    ).fetchall()
    assert views == []


@pytest.mark.parametrize("road", ["orm", "core", "text"])
def test_a_session_of_another_organisation_gets_no_row(stranger: Session, somebody: int, road: str) -> None:
    statement = {
        "orm": select(func.count(Patient.id)).where(Patient.id == somebody),
        "core": select(func.count()).select_from(VISITS).where(VISITS.c.patient_id == somebody),
        "text": text("select count(*) from condition where patient_id = :key").bindparams(key=somebody),
    }[road]
    assert stranger.scalar(statement) == 0


def test_a_session_without_a_scope_is_refused(settings: Settings) -> None:
    session = sessionmaker(engine(settings), class_=KmisSession)()
    with session, pytest.raises(ScopeRequired):
        session.execute(text("select 1"))


def test_patient_data_needs_an_organisation_in_the_scope(settings: Settings) -> None:
    with pytest.raises(ScopeRequired), transaction(settings, Scope.nobody()) as session:
        session.scalars(select(Patient)).all()


def test_a_connection_of_the_pool_keeps_no_scope_of_the_last_user(
    settings: Settings, scope: Scope, somebody: int
) -> None:
    with transaction(settings, scope) as session:
        assert session.scalar(text("select count(*) from patient")) > 0
    with transaction(settings, Scope.nobody()) as session:
        assert session.scalar(text("select count(*) from patient")) == 0


def test_a_row_cannot_be_written_for_another_organisation(
    raw: psycopg.Connection, world: dict[str, int], somebody: int
) -> None:
    raw.execute("select set_config('kmis.scope', %s, true)", (str(world["other"]),))
    with pytest.raises(refusals.InsufficientPrivilege):
        create_encounter(raw, world, somebody, datetime(2026, 5, 5, 5, 0, tzinfo=UTC))


@pytest.mark.parametrize(
    "statement",
    [
        "select count(*) from change_feed",
        "update change_feed set reason = 'x'",
        "delete from change_feed",
        "update audit_event set action = 'x'",
        "delete from audit_event",
        "delete from encounter",
        "truncate encounter",
        "set session_replication_role = replica",
        "alter table patient disable row level security",
        "set role kmis_owner",
        "insert into patient_access (patient_id, organisation_id, basis) values (1, 1, 'x')",
        "update signed_document set canonical = 'x'",
        "update published set state = 'ok'",
    ],
)
def test_the_application_has_no_right_to(raw: psycopg.Connection, statement: str) -> None:
    with pytest.raises((refusals.InsufficientPrivilege, refusals.ObjectNotInPrerequisiteState)):
        raw.execute(statement)


def test_no_role_of_the_application_is_above_the_walls(raw: psycopg.Connection) -> None:
    rows = raw.execute(
        "select rolname from pg_roles where rolname like 'kmis%' and (rolsuper or rolbypassrls or rolcreaterole)"
    ).fetchall()
    assert rows == []


def test_the_wall_counts_a_core_connection_too(settings: Settings, somebody: int) -> None:
    connection: Connection
    with engine(settings).connect() as connection:
        assert connection.execute(select(func.count()).select_from(Patient.__table__)).scalar() == 0


def test_apply_scope_needs_no_previous_scope(settings: Settings, scope: Scope) -> None:
    session = sessionmaker(engine(settings), class_=KmisSession)()
    with session:
        apply_scope(session, scope)
        assert session.scalar(text("select kmis_scope()")) == sorted(scope.organisation_ids)
