"""Faults that are no kill of a part: a full disk, a standing writer, sessions that end, a killed supervisor."""

from __future__ import annotations

import os
import resource
import signal
from collections.abc import Callable, Iterator

import psutil
import pytest

from kmis.postgres import admin_connection
from kmis.supervisor import PARTS, supervisor_pid
from pipelines.lib.errors import WriterBusy
from pipelines.lib.workshop import WRITER_LOCK, open_workshop
from tests.faults.campaign import seed_of_run
from tests.faults.player import Player
from tests.faults.proof import prove
from tests.faults.system import System, wait_for

pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]
HOLDER = (
    "select pid from pg_locks where locktype = 'advisory' and granted"
    " and ((classid::bigint << 32) | objid::bigint) = %s"
)


@pytest.fixture
def player(system: System) -> Iterator[Player]:
    """People who work while the fault lasts."""
    player = Player(system, seed_of_run())
    try:
        player.start()
        yield player
    finally:
        player.end()


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str]) -> Callable[[str], None]:
    def line(text: str) -> None:
        with capsys.disabled():
            print(text, flush=True)

    return line


def failed_since(system: System, number: int) -> str | None:
    """The recorded reason of a pass that failed after the one of that number."""
    found = system.value("select error from lake_pass where id > %s and state = 'failed' order by id limit 1", number)
    return None if found is None else str(found)


def newest_pass(system: System) -> int:
    return int(str(system.value("select coalesce(max(id), 0) from lake_pass")))


def test_a_full_disk_fails_the_pass_says_so_and_publishes_nothing(
    system: System, player: Player, say: Callable[[str], None]
) -> None:
    wait_for("a pass", lambda: system.published_after(0))
    pid = system.pid("writer")
    before = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (1, before[1]))
    try:
        running = "select count(*) = 0 from lake_pass where state = 'running'"
        wait_for("the running pass to end", lambda: system.value(running))
        number, publication = newest_pass(system), system.publication()
        reason = wait_for("a failed pass", lambda: failed_since(system, number))
        wait_for("a second try", lambda: newest_pass(system) > number + 1)
        assert not system.published_after(publication)
    finally:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, before)
    say(f"\n  full disk: {reason}")
    assert "File too large" in reason
    wait_for("the next pass", lambda: system.published_after(publication))
    assert system.alive("writer") == pid, "the writer lives through it"
    prove(system, player, say, last=False)


def test_no_other_takes_the_lock_of_a_writer_that_stands_still(
    system: System, player: Player, say: Callable[[str], None]
) -> None:
    pid = system.pid("writer")
    with system.store() as store:
        wait_for("a pass", lambda: system.doing(store))
        os.kill(pid, signal.SIGSTOP)
        try:
            publication = system.publication()
            for _ in range(20):
                with pytest.raises(WriterBusy):
                    open_workshop(system.settings)
            assert not system.published_after(publication)
        finally:
            os.kill(pid, signal.SIGCONT)
    wait_for("figures that move", lambda: system.published_after(publication))
    assert system.alive("writer") == pid
    prove(system, player, say, last=False)


@pytest.mark.parametrize("whose", ["the lock's", "the lake's", "all"])
def test_a_writer_whose_sessions_end_in_the_middle_of_a_pass_goes_on_or_is_started_again(
    system: System, player: Player, say: Callable[[str], None], whose: str
) -> None:
    roles = {"the lock's": ["kmis_writer"], "the lake's": ["kmis_lake"], "all": ["kmis_writer", "kmis_lake"]}[whose]
    wait_for("the writer", lambda: system.value(HOLDER, WRITER_LOCK))
    writer = psutil.Process(system.pid("writer"))
    ports = {connection.laddr.port for connection in writer.net_connections("tcp")}
    with system.store() as store:
        wait_for("a pass", lambda: (doing := system.doing(store)) and doing.stage == "model")
    publication = system.publication()
    with admin_connection(system.settings, system.settings.database) as admin:
        ended = admin.execute(
            "select count(pg_terminate_backend(pid)) from pg_stat_activity"
            " where usename = any(%s) and client_port = any(%s)",
            (roles, list(ports)),
        ).fetchone()
    assert ended is not None and ended[0] > 0
    wait_for("figures that move", lambda: system.published_after(publication))
    say(f"\n  {ended[0]} sessions ended")
    prove(system, player, say, last=False)


def test_the_parts_of_a_killed_supervisor_end_and_up_starts_everything_again(
    system: System, player: Player, say: Callable[[str], None]
) -> None:
    supervisor = supervisor_pid(system.settings)
    assert supervisor is not None
    parts = [psutil.Process(system.pid(part.name)) for part in PARTS]
    os.kill(supervisor, signal.SIGKILL)
    _, left = psutil.wait_procs(parts, timeout=120)
    assert not left, "a part outlived its supervisor and would hold its port"
    system.installation.kmis("up")
    prove(system, player, say, last=True)
