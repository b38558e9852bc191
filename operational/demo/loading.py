"""Puts the synthetic district into an empty store, in one transaction, as the owner of the schema.

COPY fires the triggers of the change feed, so the lake is filled as by any other work.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import psycopg
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from kmis.clock import Clock, SystemClock
from kmis.settings import Settings
from operational.demo.bulk import constraints_aside
from operational.demo.generating import Demonstration, Report, generate
from operational.domains.catalogs.loader import load_catalogs
from operational.domains.encounters import repository as encounters
from operational.domains.encounters import signing
from operational.domains.identity.commands import ensure_roles
from operational.domains.identity.passwords import hash_password
from operational.kit.access import Scope
from operational.kit.db import transaction

TITLES: Final = {
    "catalogs": "directories",
    "people": "people",
    "hospital": "hospital, day by day",
    "visits": "visits, day by day",
    "rows": "rows into PostgreSQL",
    "districts": "other districts",
}


TEAM_ROLES: Final = {
    "ward_doctor": "hospital_doctor", "duty_doctor": "hospital_doctor", "ward_nurse": "nurse", "midwife": "nurse",
    "laboratory_doctor": "laboratory_assistant", "laboratory_technician": "laboratory_assistant",
    "radiologist": "radiographer", "radiographer": "radiographer",
}  # fmt: skip


class StoreNotEmpty(RuntimeError):
    """The demonstration goes into an empty store only."""


@dataclass(frozen=True, slots=True)
class DemoLogin:
    """A user that the demonstration may be looked at with; ``organisation`` is a key of organisations.csv."""

    login: str
    password: str
    role: str
    organisation: str
    title: str


LOGINS: Final = (
    DemoLogin("doctor", "demo-doctor-2026", "doctor", "polyclinic", "site doctor"),
    DemoLogin("registrar", "demo-registrar-2026", "registrar", "polyclinic", "registrar"),
    DemoLogin("chief", "demo-chief-2026", "chief_physician", "hospital", "chief physician"),
    DemoLogin("manager", "demo-manager-2026", "regional_manager", "region", "regional manager"),
    DemoLogin("engineer", "demo-engineer-2026", "data_engineer", "region", "data engineer"),
    DemoLogin("admin", "demo-admin-2026", "administrator", "region", "administrator"),
    DemoLogin("ward", "demo-ward-2026", "hospital_doctor", "hospital", "hospital doctor"),
    DemoLogin("nurse", "demo-nurse-2026", "nurse", "polyclinic", "site nurse"),
    DemoLogin("obstetrician", "demo-obstetrician-2026", "obstetrician", "polyclinic", "obstetrician"),
    DemoLogin("officer", "demo-officer-2026", "maternity_officer", "region", "maternity officer"),
    DemoLogin("lab", "demo-lab-2026", "laboratory_assistant", "hospital", "laboratory assistant"),
    DemoLogin("xray", "demo-xray-2026", "radiographer", "hospital", "radiographer"),
)


@dataclass(frozen=True, slots=True)
class Loaded:
    """What was loaded: rows by table, and the users to sign in with."""

    rows: dict[str, int]
    logins: tuple[DemoLogin, ...]


def is_empty(settings: Settings) -> bool:
    """Whether the store has no organisation yet."""
    with psycopg.connect(settings.dsn("kmis_owner")) as connection:
        return connection.execute("select 1 from organisation limit 1").fetchone() is None


def load(
    settings: Settings, population: int = 16_000, years: int = 2, seed: int = 20_260_101,
    progress: Report | None = None, clock: Clock | None = None,
) -> Loaded:  # fmt: skip
    """Directories, roles, the district, its people and their visits up to today.

    Raises StoreNotEmpty, ValueError (a size that makes no district).
    """
    if not is_empty(settings):
        raise StoreNotEmpty("the store is not empty: the demonstration is loaded into an empty one")
    report = progress or _silent
    report("catalogs", 0, 1)
    with psycopg.connect(settings.dsn("kmis_owner")) as connection:
        load_catalogs(connection)
    ensure_roles(settings)
    report("catalogs", 1, 1)
    made = generate(population, years, seed, (clock or SystemClock()).now(), settings.zone, report)
    _name_logins(made)
    _keep(settings, made)
    with psycopg.connect(settings.dsn("kmis_owner")) as connection, connection.transaction():
        _copy(connection, made, report)
        _give_roles(connection, made)
    _sign(settings, made)
    with psycopg.connect(settings.dsn("kmis_owner"), autocommit=True) as connection:
        for table in made.store:
            connection.execute(psycopg.sql.SQL("analyze {}").format(psycopg.sql.Identifier(table.name)))
    return Loaded({str(table.name): len(table) for table in made.store}, LOGINS)


def _silent(what: str, done: int, total: int) -> None:
    """Nobody watches."""


def _name_logins(made: Demonstration) -> None:
    """Give the demonstration's users their logins and passwords; the doctor is a present site doctor for adults."""
    doctor = next(post for post in made.region.posts if post.until is None and post.specialty == "therapy")
    obstetrician = next(p for p in made.region.posts if p.until is None and p.specialty == "obstetrics")
    users = {**made.region.users, "doctor": doctor.user, "obstetrician": obstetrician.user}
    for login in LOGINS:
        made.store.app_user.change(users[login.login], login=login.login, password_hash=hash_password(login.password))


def _copy(connection: psycopg.Connection[Any], made: Demonstration, report: Report) -> None:
    connection.execute("select set_config('kmis.reason', 'demonstration', true)")
    connection.execute("set local maintenance_work_mem = '512MB'")
    total = sum(len(table) for table in made.store)
    before = 0
    with constraints_aside(connection, [str(table.name) for table in made.store]):
        for table in made.store:
            for sent in table.copy_to(connection):
                report("rows", before + sent, total)
            before += len(table)
    for sequence, table in (
        ("patient_no_seq", made.store.patient), ("referral_no_seq", made.store.service_request),
        ("accession_no_seq", made.store.diagnostic_order), ("case_no_seq", made.store.hospital_stay),
    ):  # fmt: skip
        connection.execute("select setval(%s, %s)", (sequence, max(len(table), 1)))


def _keep(settings: Settings, made: Demonstration) -> None:
    """Pictures and raw messages lie where the rows say, before anybody can read the rows."""
    for path, content in made.files.items():
        place = settings.root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)


def _sign(settings: Settings, made: Demonstration) -> None:
    """The newest visits get the document that signing makes; of older ones the signature's time is known only."""
    table = made.store.encounter
    by_author: dict[tuple[int, int], list[tuple[int, datetime]]] = {}
    for row in reversed(table.rows):
        visit = dict(zip(table.columns, row, strict=True))
        if visit["started_at"].date() < made.today:
            break
        if visit["signed_at"] and not visit["voided_at"]:
            author = (visit["signed_by"], visit["owner_organisation_id"])
            by_author.setdefault(author, []).append((visit["id"], visit["signed_at"].replace(tzinfo=UTC)))
    for (user, organisation), visits in by_author.items():
        with transaction(settings, Scope(user, frozenset({organisation}))) as session:
            for key, at in reversed(visits):
                visit_row = encounters.encounter(session, key)
                if visit_row is not None:
                    signing.sign(session, visit_row, at)


def _give_roles(connection: psycopg.Connection[Any], made: Demonstration) -> None:
    named = {login.login: login for login in LOGINS}
    wanted: list[tuple[int, str, int]] = []
    for post in made.region.posts:
        role = "obstetrician" if post.specialty == "obstetrics" else "doctor"
        wanted.append((post.user, role, post.organisation))
    for (organisation, _), team in made.region.teams.items():
        for worker in team:
            worker_role = TEAM_ROLES.get(worker.position)
            if worker_role and worker.user not in made.region.users.values():
                wanted.append((worker.user, worker_role, made.region.organisations[organisation]))
    for login, user in made.region.users.items():
        wanted.append((user, named[login].role, made.region.organisations[named[login].organisation]))
    with connection.cursor() as cursor:
        cursor.executemany(
            "insert into user_role (user_id, role_id, organisation_id)"
            " select %s, (select id from role where code = %s), %s",
            wanted,
        )


@contextmanager
def shown_progress() -> Iterator[Report]:
    """A report that draws progress bars on the terminal."""
    with Progress(
        TextColumn("{task.description:<24}"), BarColumn(), TextColumn("{task.percentage:>3.0f} %"), TimeElapsedColumn()
    ) as progress:
        tasks: dict[str, TaskID] = {}

        def report(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = progress.add_task(TITLES.get(what, what), total=total)
            progress.update(tasks[what], completed=done, total=total)

        yield report
