"""A day that plays itself: simulated users and devices act on the running installation, and nothing of it is lost."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from kmis.settings import Settings
from operational.demo.live.acts import ACTS
from operational.demo.live.journal import missing, read_journal
from operational.demo.live.player import Plan, Player
from tests.e2e.installation import PORTS, Installation

pytestmark = pytest.mark.journey
RATE, SECONDS = 4.0, 25.0


def settings_of(installation: Installation) -> Settings:
    """What a command of the installation reads from its environment."""
    ports = {name.lower(): int(installation.environment[f"KMIS_{name}"]) for name in PORTS}
    return Settings(home=installation.home).model_copy(update=ports)


@pytest.mark.requirement("LIVE-04", "LIVE-05")
def test_every_kind_of_act_is_done_and_reconciled(installation: Installation, tmp_path: Path) -> None:
    settings = settings_of(installation)
    journal = tmp_path / "live.jsonl"
    tally = Player(settings, Plan(RATE, SECONDS, seed=1, every_kind=True), threading.Event(), journal).run()
    assert not tally.errors and not tally.unknown
    assert {kind for kind, count in tally.done.items() if count} == set(ACTS)
    assert sum(tally.done.values()) == RATE * SECONDS
    entries = read_journal(journal)
    assert len(entries) == tally.commits
    assert missing(settings, entries) == []
    installation.kmis("refresh")
    installation.kmis("reconcile")
