"""Any process is killed while people work: afterwards one refresh makes the figures equal and nothing is missing.

The seed is printed; with it in KMIS_KILL_SEED the same targets come in the same order after the same pauses.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator

import pytest

from tests.faults.campaign import LISTENERS, SEED_VARIABLE, STAGES, Campaign, plan, seed_of_run
from tests.faults.player import Player
from tests.faults.proof import prove
from tests.faults.system import System

EACH_STAGE = 3
WRITER_KILLS = STAGES * 4
OTHER_KILLS = ("api",) * 5 + ("dicom",) * 5 + ("mllp",) * 4 + ("postgres",) * 6
PROOF_EACH = 8
# Kills that fell between two stages are made up for, that many times at most.
MORE_KILLS = 15


@pytest.fixture
def campaign(system: System, capsys: pytest.CaptureFixture[str]) -> Iterator[Campaign]:
    """A campaign with the run's seed, which is printed, and a player that acts."""

    def say(line: str) -> None:
        with capsys.disabled():
            print(line, flush=True)

    seed = seed_of_run()
    say(f"\nkill campaign, {SEED_VARIABLE}={seed}")
    player = Player(system, seed)
    try:
        player.start()
        yield Campaign(system, player, random.Random(seed), say)
    finally:
        player.end()


def embedded(system: System, parts: tuple[str, ...]) -> tuple[str, ...]:
    """The parts that are this installation's own to kill: a given server is somebody else's."""
    return tuple(part for part in parts if part != "postgres" or not system.settings.database_url)


@pytest.mark.timeout(1200)
def test_four_kills(campaign: Campaign) -> None:
    """The writer in a random stage, the API, a listener and PostgreSQL."""
    start = time.monotonic()
    parts = ("api", campaign.chance.choice(LISTENERS), "postgres")
    targets = plan(campaign.chance, (campaign.chance.choice(STAGES),), embedded(campaign.system, parts))
    for number, target in enumerate(targets, 1):
        campaign.kill(target)
        prove(campaign.system, campaign.player, campaign.say, last=number == len(targets))
        if number < len(targets):
            campaign.player.start()
    for line in campaign.report():
        campaign.say(line)
    campaign.say(f"  {time.monotonic() - start:.0f} s in all")


@pytest.mark.long
@pytest.mark.timeout(2400)
def test_forty_kills(campaign: Campaign) -> None:
    """Every stage of the writer at least three times, and every other part, in random order."""
    start = time.monotonic()
    targets = plan(campaign.chance, WRITER_KILLS, embedded(campaign.system, OTHER_KILLS))
    for number, target in enumerate(targets, 1):
        campaign.kill(target)
        if number % PROOF_EACH == 0:
            prove(campaign.system, campaign.player, campaign.say, last=False)
            campaign.player.start()
    for _ in range(MORE_KILLS):
        short = [stage for stage in STAGES if campaign.stages_hit()[stage] < EACH_STAGE]
        if not short:
            break
        campaign.kill(plan(campaign.chance, short, ())[0])
    prove(campaign.system, campaign.player, campaign.say, last=True)
    for line in campaign.report():
        campaign.say(line)
    campaign.say(f"  {len(campaign.hits)} kills, {time.monotonic() - start:.0f} s in all")
    assert all(campaign.stages_hit()[stage] >= EACH_STAGE for stage in STAGES), campaign.stages_hit()
