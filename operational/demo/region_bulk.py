"""The other districts of the region: organisations and staff into the store, everything of patients into Parquet.

``pipelines.lib.bulk`` takes the files into the lake. Each area has a seed of its own, so any number of processes makes
the same rows.
"""

from __future__ import annotations

import shutil
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import psycopg
from psycopg import sql

from kmis.clock import Clock, SystemClock
from kmis.settings import Settings
from operational.demo.districts import REGION, Area, areas
from operational.demo.generating import Demonstration, Report, generate
from operational.demo.images import DIRECTORIES, ROWS_OF_AREA, Column, Shift, read_columns, references, write_images
from operational.demo.tables import Table

PROCESSES: Final = 2
# Leaders of the region: the store's own are meant.
LEADERS: Final = ("manager", "engineer", "admin", "officer")
# A directory row with this key belongs to the store already and is named by nothing.
NOWHERE: Final = 0


class NotTheDemonstration(RuntimeError):
    """The store holds something else than the demonstration, or its other districts are there already."""


@dataclass(frozen=True, slots=True)
class Beyond:
    """What was made: the folder with one folder of Parquet files per area, and what the lake says of them."""

    folder: Path
    seed: int
    people: int
    districts: int
    rows: int


@dataclass(frozen=True, slots=True)
class _Known:
    """Keys of the store's rows that all areas share."""

    organisations: dict[str, int]
    departments: dict[tuple[int, str], int]
    leaders: dict[str, tuple[int, int]]


@dataclass(frozen=True, slots=True)
class _Task:
    area: Area
    years: int
    seed: int
    now: datetime
    zone: ZoneInfo
    base: int
    patients: int
    known: _Known
    columns: dict[str, list[Column]]
    folder: Path


@dataclass(frozen=True, slots=True)
class _Made:
    """Rows of an area: written ones, and what the store takes. ``beds`` come to stocks that are there."""

    written: int
    directories: list[Table]
    beds: list[tuple[int, int, str]]


def region_bulk(
    settings: Settings, people: int, years: int = 2, seed: int = 20_260_101, report: Report | None = None,
    clock: Clock | None = None,
) -> Beyond:  # fmt: skip
    """Makes so many people of the other districts; the store must hold the demonstration and is not played on.

    Raises NotTheDemonstration, ValueError for a number of people that makes no district.
    """
    chosen = areas(people)
    tell = report or (lambda *_: None)
    now = (clock or SystemClock()).now()
    folder = settings.root / "tmp" / "region"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, mode=0o700)
    with psycopg.connect(settings.dsn("kmis_owner")) as connection:
        check_demonstration(connection)
        columns = read_columns(connection)
        base, patients = _highest(connection)
        known = _known(connection)
    tasks: list[_Task] = []
    for area in chosen:
        place = folder / f"area-{area.district.number:02d}"
        tasks.append(_Task(area, years, seed, now, settings.zone, base, patients, known, columns, place))
        patients += _records(area.people)
    tell("districts", 0, len(chosen))
    made: list[_Made] = []
    with ProcessPoolExecutor(PROCESSES, mp_context=get_context("spawn")) as pool:
        for one in pool.map(_make, tasks):
            made.append(one)
            tell("districts", len(made), len(chosen))
    with psycopg.connect(settings.dsn("kmis_owner")) as connection, connection.transaction():
        connection.execute("select set_config('kmis.reason', 'demonstration', true)")
        for one in made:
            _load(connection, one)
        _move_sequences(connection, patients)
    return Beyond(folder, seed, people, len({area.district.kato for area in chosen}), sum(one.written for one in made))


def check_demonstration(connection: psycopg.Connection[Any]) -> None:
    """Raises NotTheDemonstration unless every organisation came with the demonstration, and only those of Karatobe."""
    rows = connection.execute(
        "select o.code, exists (select from change_feed as f where f.table_name = 'organisation' and f.key = o.id"
        " and f.operation = 'I' and f.reason = 'demonstration') from organisation as o"
    ).fetchall()
    if not rows or not all(own for _, own in rows):
        raise NotTheDemonstration("people that only the lake holds belong to the demonstration; this store is another")
    if any(len(code) > 4 for code, _ in rows):
        raise NotTheDemonstration("the other districts are in this store already")


def _records(people: int) -> int:
    """Records of so many people: a few have a second one."""
    return people + max(3, people // 1300)


def _highest(connection: psycopg.Connection[Any]) -> tuple[int, int]:
    """The key above which directories go on, and the last number of a patient."""
    keys = ", ".join(f"(select max(id) from {table})" for table in DIRECTORIES)
    row = connection.execute(f"select greatest({keys}), (select max(patient_no) from patient)").fetchone()
    if row is None or row[1] is None:
        raise NotTheDemonstration("the store has no patients")
    return -(-int(row[0]) // ROWS_OF_AREA) * ROWS_OF_AREA, int(row[1])


def _known(connection: psycopg.Connection[Any]) -> _Known:
    organisations = dict(connection.execute("select code, id from organisation").fetchall())
    departments = connection.execute("select organisation_id, code, id from department").fetchall()
    leaders = connection.execute(
        "select login, practitioner_id, id from app_user where login = any(%s)", (list(LEADERS),)
    ).fetchall()
    return _Known(
        organisations,
        {(organisation, code): key for organisation, code, key in departments},
        {login: (practitioner, user) for login, practitioner, user in leaders},
    )


# --- in a process of its own -------------------------------------------------------------------------------------


def _make(task: _Task) -> _Made:
    """Generates an area and writes its files. Raises ValueError when it has other numbers of rows than were left."""
    number = task.area.district.number
    made = generate(
        task.area.people, task.years, f"{task.seed}/{number}", task.now, task.zone, district=task.area.district
    )
    if len(made.store.patient) != _records(task.area.people):
        raise ValueError(f"area {number} has {len(made.store.patient)} records, not {_records(task.area.people)}")
    shift = Shift(number, task.patients, _keys(task, made))
    beds = _take_shared_beds(made, shift)
    written = write_images(made.store, task.columns, shift, task.folder)
    first = _first(task)
    return _Made(written, [_directory(getattr(made.store, name), shift, first) for name in DIRECTORIES], beds)


def _first(task: _Task) -> int:
    return task.base + (task.area.district.number - 1) * ROWS_OF_AREA


def _keys(task: _Task, made: Demonstration) -> dict[str, list[int]]:
    """The store's keys of the area's directory rows: its own, and those of what all areas share."""
    keys: dict[str, list[int]] = {}
    for name in DIRECTORIES:
        count = len(getattr(made.store, name))
        if count > ROWS_OF_AREA:
            raise ValueError(f"area {task.area.district.number} has {count} rows of {name}")
        keys[name] = [_first(task) + place for place in range(1, count + 1)]
    store, known, organisations = made.store, task.known, keys["organisation"]
    for place, row in enumerate(task.area.district.organisations):
        if row["key"] in REGION:
            organisations[place] = known.organisations[row["code"]]
        elif row["key"] == "district":
            organisations[place] = task.base + (task.area.first - 1) * ROWS_OF_AREA + place + 1
    shared = set(known.organisations.values())
    for place, department in enumerate(store.department.rows):
        owner = organisations[department[1] - 1]
        if owner in shared:
            keys["department"][place] = known.departments[owner, department[2]]
    for login, (practitioner, user) in known.leaders.items():
        own = made.region.staff[login]
        keys["practitioner"][own - 1] = practitioner
        keys["app_user"][made.region.users[login] - 1] = user
        for place, role in enumerate(store.practitioner_role.rows):
            if role[1] == own:
                keys["practitioner_role"][place] = NOWHERE
    own_range = range(_first(task) + 1, _first(task) + ROWS_OF_AREA + 1)
    for name in ("organisation_version", "bed_stock"):
        for place, row in enumerate(getattr(store, name).rows):
            if organisations[row[1] - 1] not in own_range:
                keys[name][place] = NOWHERE
    return keys


def _take_shared_beds(made: Demonstration, shift: Shift) -> list[tuple[int, int, str]]:
    """Beds of the shared hospitals: how many come to which department and profile; their names carry the area."""
    lowest = min(shift.directories["site"])
    departments = {own: key for own, key in enumerate(shift.directories["department"], 1) if key < lowest}
    movements = made.store.ward_movement
    for key, department, ward, bed in [(r[0], r[4], r[6], r[7]) for r in movements.rows]:
        if department in departments and bed is not None:
            movements.change(key, ward=f"{ward}/{shift.area}", bed=f"{bed}/{shift.area}")
    return [(row[5], departments[row[2]], row[3]) for row in made.store.bed_stock.rows if row[2] in departments]


def _directory(table: Table, shift: Shift, first: int) -> Table:
    """The area's own rows of a directory with the store's keys and with codes that no other area has."""
    found = Table(table.name, {name: kind for name, kind in table.types.items() if name != "id"})
    referred = references(table.name)
    for row in table.rows:
        values = dict(zip(table.columns, row, strict=True))
        key = shift.directories[str(table.name)][values["id"] - 1]
        if not first < key <= first + ROWS_OF_AREA:
            continue
        for column, other in referred.items():
            if values[column] is not None:
                values[column] = shift.directories[other][values[column] - 1]
        values["id"] = key
        _name(str(table.name), values, shift.area)
        found.rows.append(tuple(values.values()))
    return found


def _name(table: str, values: dict[str, Any], area: int) -> None:
    if table == "room":
        values["code"] = f"{values['code']}/{area}"
    elif table == "app_user":
        values["login"] = f"area{area:02d}-{values['login']}"
    elif table == "device":
        values["code"], values["address"] = f"{values['code']}/{area}", f"A{area:02d}_{values['address']}"


# --- into the store ----------------------------------------------------------------------------------------------


def _load(connection: psycopg.Connection[Any], made: _Made) -> None:
    for table in made.directories:
        statement = sql.SQL("copy {} ({}) from stdin (format csv)").format(
            sql.Identifier(table.name), sql.SQL(", ").join(sql.Identifier(name) for name in table.columns)
        )
        with connection.cursor() as cursor, cursor.copy(statement) as copy:
            for piece in table.pieces():
                copy.write(piece)
    with connection.cursor() as cursor:
        cursor.executemany(
            "update bed_stock set beds = beds + %s where department_id = %s and bed_profile = %s and valid_to is null",
            made.beds,
        )


def _move_sequences(connection: psycopg.Connection[Any], patients: int) -> None:
    """What the store numbers next lies above all of this."""
    for table in DIRECTORIES:
        connection.execute(
            sql.SQL("select setval(pg_get_serial_sequence({}, 'id'), (select max(id) from {}))").format(
                sql.Literal(table), sql.Identifier(table)
            )
        )
    connection.execute("select setval('patient_no_seq', %s)", (patients,))
