"""Settings: secrets that stay and stay secret, and a port that is taken by name."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from kmis import supervisor
from kmis.postgres import ServerError
from kmis.settings import Settings, StoreNotStarted


def test_secret_is_made_once_and_readable_by_its_owner_only(tmp_path: Path) -> None:
    first = Settings(home=tmp_path / "home").secret("kmis_app")
    assert len(first) >= 32
    assert Settings(home=tmp_path / "home").secret("kmis_app") == first
    assert Settings(home=tmp_path / "home").secret("kmis_writer") != first
    folder = tmp_path / "home" / "secrets"
    assert {file.stat().st_mode & 0o777 for file in folder.iterdir()} == {0o600}
    assert folder.stat().st_mode & 0o777 == 0o700
    assert sorted(file.name for file in folder.iterdir()) == ["kmis_app", "kmis_writer"]


def test_store_that_was_never_started_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(StoreNotStarted, match="kmis up"):
        Settings(home=tmp_path).admin_url()


def test_taken_port_names_its_setting(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        settings = Settings(home=tmp_path, dashboards_port=port, port=_free(), dagster_port=_free())
        with pytest.raises(ServerError, match=f"port {port} for dashboards is taken; set KMIS_DASHBOARDS_PORT"):
            supervisor.check_ports(settings)


def _free() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
