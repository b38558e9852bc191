"""Orders of files: entered over HTTP, made by the worker out of a small lake, served to whom they belong."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import psycopg
import pytest
from fastapi.testclient import TestClient

from kmis.settings import Settings
from operational.domains.monitoring import service
from operational.domains.monitoring.pages import cell_text
from operational.kit.access import Scope
from tests.kmis.query.conftest import Place as Lake
from tests.operational.monitoring.boards import JANUARY, board_client


@pytest.fixture
def client(lake: Lake, settings: Settings, scope: Scope) -> TestClient:
    return board_client(lake, settings, scope)


def ordered(client: TestClient, **values: object) -> int:
    answer = client.post("/api/unloads", json={"product": "XLS-02", "selection": JANUARY} | values)
    assert answer.status_code == 202, answer.text
    return int(answer.json()["id"])


def state(settings: Settings, key: int) -> str:
    with psycopg.connect(settings.dsn("kmis_owner")) as connection:
        row = connection.execute("select status from unload_log where id = %s", (key,)).fetchone()
    assert row is not None
    return str(row[0])


def test_order_is_made_and_taken(
    client: TestClient, lake: Lake, settings: Settings, scope: Scope, world: dict[str, int]
) -> None:
    key = ordered(client)
    assert client.get(f"/api/unloads/{key}").json()["status"] == "waiting"
    assert client.get(f"/unloads/{key}/file").status_code == 409
    assert service.make_waiting(settings, lake.service) == 1
    assert service.make_waiting(settings, lake.service) == 0
    shown = client.get(f"/api/unloads/{key}").json()
    assert (shown["status"], shown["progress"], len(shown["sha256"])) == ("ready", 100, 64)
    file = client.get(f"/unloads/{key}/file")
    assert (file.status_code, file.content[:2], file.headers["cache-control"]) == (200, b"PK", "no-store")
    stranger = board_client(lake, settings, replace(scope, user_id=world["other_user"]))
    assert [stranger.get(path).status_code for path in (f"/unloads/{key}/file", f"/api/unloads/{key}")] == [404, 404]
    with psycopg.connect(settings.dsn("kmis_owner")) as connection:
        acts = connection.execute(
            "select action, user_id from audit_event where object_table = 'unload_log' and object_id = %s order by id",
            (key,),
        ).fetchall()
    assert acts == [("unload.ordered", scope.user_id), ("unload.taken", scope.user_id)]
    (settings.exports_dir / str(key) / shown["file_name"]).unlink()
    assert client.get(f"/unloads/{key}/file").status_code == 410


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"selection": "from=2026-02-01&to=2026-01-01"}, "to"),
        ({"selection": f"{JANUARY}&f.planet=1"}, "planet"),
    ],
)
def test_bad_selection_is_refused_at_its_field(client: TestClient, values: dict[str, object], field: str) -> None:
    answer = client.post("/api/unloads", json={"product": "XLS-02", "selection": JANUARY} | values)
    assert answer.status_code == 422, answer.text
    assert any(field in name for name in answer.json()["errors"]), answer.text


def test_unknown_product_and_snapshot(client: TestClient) -> None:
    assert client.post("/api/unloads", json={"product": "XLS-99", "selection": JANUARY}).status_code == 404
    wanted = {"product": "XLS-02", "selection": JANUARY, "snapshot": 99_999}
    assert client.post("/api/unloads", json=wanted).status_code == 404


def test_a_number_that_no_snapshot_can_have_is_unknown(client: TestClient) -> None:
    for number in ("9" * 30, "-1", "x"):
        assert client.get(f"/boards/XLS-02?{JANUARY}&snapshot={number}").status_code == 404


def test_opening_rows_is_audited_and_looking_at_figures_is_not(
    client: TestClient, settings: Settings, scope: Scope
) -> None:
    def opened() -> int:
        with psycopg.connect(settings.dsn("kmis_owner")) as connection:
            row = connection.execute(
                "select count(*) from audit_event where action = 'figure.rows_opened' and user_id = %s"
                " and detail ->> 'product' = 'XLS-02'",
                (scope.user_id,),
            ).fetchone()
        return int(row[0]) if row else 0

    before = opened()
    assert client.get(f"/boards/XLS-02?{JANUARY}").status_code == 200
    assert opened() == before
    assert client.get(f"/boards/XLS-02?{JANUARY}&rows=1").status_code == 200
    assert opened() == before + 1


def test_order_of_a_worker_that_died_is_taken_up_again(client: TestClient, lake: Lake, settings: Settings) -> None:
    key = ordered(client)
    with psycopg.connect(settings.dsn("kmis_owner")) as connection:
        connection.execute("update unload_log set status = 'running', progress = 40 where id = %s", (key,))
        row = connection.execute(
            "insert into unload_log (product, snapshot_id, criteria, status)"
            " values ('XLS-02', 1, '{}', 'running') returning id"
        ).fetchone()
    assert row is not None
    service.take_up_again(settings)
    assert state(settings, key) == "waiting"
    assert state(settings, row[0]) == "running"  # the command line's own file: no worker makes it
    assert service.make_waiting(settings, lake.service) == 1
    assert state(settings, key) == "ready"


def test_a_row_shows_the_clock_of_the_organisation_once() -> None:
    """Rows come in local time already; a moment with a zone is put on the organisation's clock."""
    assert cell_text(datetime(2026, 11, 25, 0, 15), "Asia/Oral") == "25.11.2026 00:15"
    assert cell_text(datetime(2026, 11, 24, 19, 15, tzinfo=UTC), "Asia/Oral") == "25.11.2026 00:15"
