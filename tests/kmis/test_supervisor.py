"""The supervisor knows itself again, and starts nothing while a restore or an upgrade is unfinished."""

from __future__ import annotations

import json
import os
from pathlib import Path

import psutil
import pytest

from kmis import supervisor, unfinished
from kmis.backup.restoring import check_target
from kmis.backup.upgrading import back_out
from kmis.settings import Settings
from kmis.unfinished import Unfinished


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    own = Settings(home=tmp_path / "home", database_url=None)
    own.run_dir.mkdir(parents=True)
    return own


def written(settings: Settings, **values: object) -> None:
    file = supervisor.state_file(settings)
    state = json.loads(file.read_text()) | values
    file.write_text(json.dumps({name: value for name, value in state.items() if value is not None}))


def test_a_clock_that_was_set_does_not_hide_a_running_installation(settings: Settings) -> None:
    supervisor._write_state(settings, os.getpid(), {})
    written(settings, created=psutil.Process().create_time() - 3600)
    assert supervisor.supervisor_pid(settings) == os.getpid()


def test_another_process_of_the_same_number_is_not_the_supervisor(settings: Settings) -> None:
    supervisor._write_state(settings, os.getpid(), {})
    written(settings, begun="another boot 1")
    assert supervisor.supervisor_pid(settings) is None


def test_a_supervisor_of_an_earlier_release_is_known_by_its_time(settings: Settings) -> None:
    supervisor._write_state(settings, os.getpid(), {})
    written(settings, begun=None)
    assert supervisor.supervisor_pid(settings) == os.getpid()
    written(settings, created=psutil.Process().create_time() - 60)
    assert supervisor.supervisor_pid(settings) is None


@pytest.mark.parametrize("change", ["restore", "upgrade"])
def test_nothing_starts_while_a_change_is_unfinished(settings: Settings, change: unfinished.Change) -> None:
    unfinished.mark(settings, change)
    with pytest.raises(Unfinished, match=f"the {change} of this installation has begun"):
        supervisor.start_detached(settings)
    with pytest.raises(Unfinished):
        supervisor.run(settings)
    unfinished.clear(settings)
    assert unfinished.begun(settings) is None


def test_an_unfinished_change_is_ended_by_its_own_kind_only(settings: Settings) -> None:
    unfinished.mark(settings, "restore")
    unfinished.refuse(settings, but="restore")
    with pytest.raises(Unfinished):
        back_out(settings)
    unfinished.mark(settings, "upgrade")
    unfinished.refuse(settings, but="upgrade")
    with pytest.raises(Unfinished):
        check_target(settings, replace=True)
