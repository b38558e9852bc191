"""The embedded server: comes back on its port with its data, and says what is missing."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
from pathlib import Path

import psutil
import psycopg
import pytest

from kmis import postgres
from kmis.postgres import EmbeddedServer, ServerError, server_running
from kmis.settings import Settings


def test_killed_server_comes_back_on_its_port_with_its_data(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("server")
    for parent in (folder, folder.parent, folder.parent.parent):
        parent.chmod(0o755)  # as root the server runs as a user of its own, who must reach its folder
    settings = Settings(home=folder / "home", database_url=None)
    server = EmbeddedServer(settings)
    server.start()
    try:
        address = settings.admin_url()
        with psycopg.connect(address.render_as_string(hide_password=False), autocommit=True) as connection:
            connection.execute("create table kept as select 42 as answer")
        pid = int((server.data / "postmaster.pid").read_text().splitlines()[0])
        children = psutil.Process(pid).children(recursive=True)
        os.kill(pid, signal.SIGKILL)
        psutil.wait_procs(children, timeout=20)
        assert not server.running()
        _give_number_away(server)
        assert not server.running()
        server.start()
        assert settings.admin_url() == address
        with psycopg.connect(address.render_as_string(hide_password=False)) as connection:
            assert connection.execute("select answer from kept").fetchone() == (42,)
        with server_running(settings):
            assert server.running()
        assert server.running()
        server.stop()
        with server_running(settings), psycopg.connect(settings.admin_url().render_as_string(hide_password=False)):
            assert server.running()
        assert not server.running()
    finally:
        server.stop()


def test_a_command_makes_no_server_in_an_empty_folder(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home", database_url=None)
    with server_running(settings):
        assert not EmbeddedServer(settings).running()
    assert not settings.postgres_dir.exists()


def _give_number_away(server: EmbeddedServer) -> None:
    """As after a restart of the machine: the number in ``postmaster.pid`` is another process's now."""
    file = server.data / "postmaster.pid"
    first, _, rest = file.read_text().partition("\n")
    assert first
    file.write_text(f"{os.getppid()}\n{rest}")


def test_missing_extension_is_named(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres, "EXTENSIONS", (*postgres.EXTENSIONS, "no_such_extension"))
    with pytest.raises(ServerError, match="lacks the extensions no_such_extension"):
        postgres.bootstrap(settings)


def test_taken_port_of_the_server_names_its_setting(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        server = EmbeddedServer(Settings(home=tmp_path, postgres_port=port))
        with pytest.raises(ServerError, match=f"port {port} is taken; set KMIS_POSTGRES_PORT"):
            server._choose_port()


def test_another_port_is_tried_when_somebody_took_the_chosen_one(monkeypatch: pytest.MonkeyPatch) -> None:
    home = Path(tempfile.mkdtemp(prefix="kmis-port-"))
    home.chmod(0o755)  # the server runs as a user of its own
    server = EmbeddedServer(Settings(home=home, database_url=None))
    try:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            chosen = iter([port, postgres.free_port()])
            monkeypatch.setattr(server, "_choose_port", lambda: next(chosen))
            server.start()
        assert server.running()
        assert server._kept_port() not in (None, port)
        server.stop()
        chosen = iter([postgres.free_port()])
        monkeypatch.setattr(server, "_run", lambda *command: subprocess.CompletedProcess(command, 1, "", ""))
        with pytest.raises(ServerError, match="did not start on port"):
            server.start()
    finally:
        monkeypatch.undo()
        server.stop()
        shutil.rmtree(home)
