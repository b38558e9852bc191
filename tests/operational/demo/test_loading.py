"""The demonstration in PostgreSQL: every row, every constraint, the feed, the people who sign in."""

from __future__ import annotations

import hashlib

import psycopg
import pytest

from kmis.settings import Settings
from operational.demo import LOGINS, Loaded, StoreNotEmpty, is_empty, load
from operational.demo.generating import Demonstration
from operational.domains.identity.passwords import matches
from operational.kit.base import Base
from tests.operational.demo.conftest import data_set_of

Filled = tuple[Settings, Loaded]
# Users are no part of the lake; a study's row carries the counts of its objects.
NOT_FED = ("app_user", "imaging_instance")


def test_every_row_arrives_and_stands_in_the_feed(filled: Filled, made: Demonstration) -> None:
    settings, loaded = filled
    with psycopg.connect(settings.dsn("kmis_owner")) as connection:
        for table in made.store:
            name = str(table.name)
            query = psycopg.sql.SQL("select count(*) from {}").format(psycopg.sql.Identifier(name))
            stored = connection.execute(query).fetchone()
            assert stored == (len(table),) == (loaded.rows[name],)
            if name in NOT_FED:
                continue
            fed = connection.execute(
                "select count(*), min(operation), max(operation) from change_feed where table_name = %s", (name,)
            ).fetchone()
            assert fed == (len(table), "I", "I"), name


def test_all_constraints_stand_again_and_are_valid(filled: Filled) -> None:
    settings, _ = filled
    expected = {
        constraint.name
        for table in Base.metadata.tables.values()
        for constraint in table.constraints
        if type(constraint).__name__ in ("ForeignKeyConstraint", "ExcludeConstraint")
    }
    with psycopg.connect(settings.dsn("kmis_owner")) as connection:
        rows = connection.execute(
            "select conname from pg_constraint where contype in ('f', 'x') and convalidated"
            " and connamespace = 'public'::regnamespace"
        ).fetchall()
    assert expected - {None} <= {row[0] for row in rows}


def test_new_rows_follow_the_loaded_ones(filled: Filled) -> None:
    settings, loaded = filled
    with psycopg.connect(settings.dsn("kmis_owner")) as connection:
        following = connection.execute("select nextval('patient_no_seq'), kmis_referral_number()").fetchone()
        key = connection.execute("select nextval(pg_get_serial_sequence('encounter', 'id'))").fetchone()
        connection.rollback()
    assert following is not None and key is not None
    assert following[0] == loaded.rows["patient"] + 1
    assert int(following[1].split("-")[1]) > loaded.rows["service_request"]
    assert key[0] == loaded.rows["encounter"] + 1


def test_the_numbers_of_orders_and_cases_go_on(filled: Filled) -> None:
    settings, loaded = filled
    with psycopg.connect(settings.dsn("kmis_owner")) as connection:
        row = connection.execute("select kmis_accession_number(), kmis_case_number()").fetchone()
        connection.rollback()
    assert row is not None
    assert int(row[0][2:]) == loaded.rows["diagnostic_order"] + 1
    assert int(row[1].split("-")[1]) == loaded.rows["hospital_stay"] + 1


def test_pictures_and_messages_lie_below_the_home(filled: Filled) -> None:
    settings, _ = filled
    with psycopg.connect(settings.dsn("kmis_owner")) as connection:
        rows = connection.execute(
            "select file_path, encode(sha256, 'hex') from imaging_instance"
            " union all select raw_path, raw_sha256 from device_message"
        ).fetchall()
    assert len(rows) > 12
    for path, digest in rows:
        content = (settings.root / path).read_bytes()
        signed = data_set_of(content) if path.endswith(".dcm") else content
        assert hashlib.sha256(signed).hexdigest() == digest


def test_the_logins_work_and_have_their_roles(filled: Filled) -> None:
    settings, _ = filled
    with psycopg.connect(settings.dsn("kmis_owner")) as connection:
        for login in LOGINS:
            row = connection.execute(
                "select u.password_hash, r.code, o.kind, u.practitioner_id from app_user as u"
                " join user_role as ur on ur.user_id = u.id join role as r on r.id = ur.role_id"
                " join organisation as o on o.id = ur.organisation_id where u.login = %s",
                (login.login,),
            ).fetchone()
            assert row is not None
            assert matches(row[0], login.password)
            assert row[1] == login.role
            assert row[3] is not None
        others = connection.execute(
            "select password_hash from app_user where login <> all (%s)", ([login.login for login in LOGINS],)
        ).fetchall()
    assert others and all(not matches(stored, "demo-doctor-2026") for (stored,) in others)


def test_people_are_seen_by_the_organisations_that_know_them(filled: Filled) -> None:
    settings, _ = filled
    with psycopg.connect(settings.dsn("kmis_app")) as connection:
        assert connection.execute("select count(*) from patient").fetchone() == (0,)
        connection.execute(
            "select set_config('kmis.scope', (select id::text from organisation where kind = 'polyclinic'), true)"
        )
        seen = connection.execute("select count(*) from patient").fetchone()
    assert seen is not None and 400 < seen[0] < 1400


def test_todays_signed_visits_have_their_unaltered_document(filled: Filled, made: Demonstration) -> None:
    settings, _ = filled
    with psycopg.connect(settings.dsn("kmis_owner")) as connection:
        rows = connection.execute(
            "select d.canonical, d.digest from encounter as e left join signed_document as d on d.encounter_id = e.id"
            " where e.signed_at is not null and e.voided_at is null and e.started_at >= %s",
            (made.today,),
        ).fetchall()
    assert rows
    assert all(canonical and hashlib.sha256(canonical.encode()).hexdigest() == digest for canonical, digest in rows)


def test_a_filled_store_is_left_alone(filled: Filled) -> None:
    settings, _ = filled
    assert not is_empty(settings)
    with pytest.raises(StoreNotEmpty):
        load(settings, 300, 1, 1)
