"""Every file is entered in the log: its row pins the snapshot, tells the state, holds no person's data."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from exports import service as made_by
from exports.order import Order
from exports.service import carry_out, kept_file, make_unload
from kmis.query import Scope, Selection
from kmis.settings import Settings
from tests.kmis.query import small_lake
from tests.kmis.query.conftest import Place, open_place

JANUARY = Selection(date(2026, 1, 1), date(2026, 1, 31)).filtered("sex", "F")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("small_lake")
    opened = open_place(folder, small_lake.make(folder))
    yield opened
    opened.service.close()


def entries(settings: Settings, where: str = "true") -> list[dict[str, Any]]:
    with psycopg.connect(settings.dsn("kmis_app"), row_factory=dict_row) as connection:
        return connection.execute(f"SELECT * FROM unload_log WHERE {where} ORDER BY id").fetchall()


def order(place: Place, user: int) -> Order:
    scope = Scope(user, frozenset(small_lake.ORGANISATIONS))
    return Order("XLS-02", JANUARY, scope, place.snapshot, "kk", "Әлиев Ә.")


def test_a_file_is_kept_and_entered_with_its_checksum(settings: Settings, world: dict[str, int], place: Place) -> None:
    states: list[str] = []
    made = make_unload(
        settings, place.service, order(place, world["user"]), lambda *_: states.append(entries(settings)[-1]["status"])
    )
    entry = entries(settings)[-1]
    assert set(states) == {"running"}, "the snapshot is pinned while the rows are read"
    assert (entry["status"], entry["progress"], entry["rows"]) == ("ready", 100, made.rows)
    assert (entry["sha256"], entry["file_name"]) == (made.sha256, made.name)
    assert (entry["snapshot_id"], entry["user_id"]) == (place.snapshot, world["user"])
    assert entry["criteria"]["filters"] == {"sex": ["F"]}
    assert entry["organisation_ids"] == sorted(small_lake.ORGANISATIONS)
    assert kept_file(settings, entry["id"], made.name) == made.path
    assert made.path.exists()


def test_a_waiting_order_is_carried_out_once(settings: Settings, world: dict[str, int], place: Place) -> None:
    wanted = order(place, world["user"])
    with psycopg.connect(settings.dsn("kmis_app")) as connection:
        row = connection.execute(
            "INSERT INTO unload_log (product, format, language, snapshot_id, criteria, user_id, organisation_ids)"
            " VALUES ('XLS-02', 'xlsx', 'kk', %s, %s, %s, %s) RETURNING id",
            (place.snapshot, Jsonb(wanted.criteria()), world["user"], Jsonb(sorted(small_lake.ORGANISATIONS))),
        ).fetchone()
    assert row is not None
    made = carry_out(settings, place.service, row[0])
    assert entries(settings, f"id = {row[0]}")[0]["status"] == "ready"
    assert made.rows == make_unload(settings, place.service, wanted).rows
    with pytest.raises(LookupError):
        carry_out(settings, place.service, row[0])


def test_a_failure_is_noted_without_its_words(
    settings: Settings, world: dict[str, int], place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> Path:
        raise ValueError("Әлия 007001010003")

    monkeypatch.setattr(made_by, "write_xlsx", broken)
    with pytest.raises(ValueError, match="Әлия"):
        make_unload(settings, place.service, order(place, world["user"]))
    entry = entries(settings)[-1]
    assert (entry["status"], entry["error"]) == ("failed", "ValueError")
