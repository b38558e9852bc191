"""The whole synthetic district in memory: the same seed, population, years and day give the same rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

from operational.demo import people as population_of
from operational.demo.attaching import Attacher, Register
from operational.demo.care import CareMaker
from operational.demo.choosing import Chooser
from operational.demo.districts import District, karatobe
from operational.demo.families import FamilyMaker
from operational.demo.morbidity import Morbidity
from operational.demo.records import EncounterWriter
from operational.demo.region import Region, RegionMaker
from operational.demo.schema import Store
from operational.demo.staffing import StaffMaker
from operational.demo.timing import Timing
from operational.demo.visits import AHEAD, VisitMaker

Report = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Demonstration:
    """What was generated."""

    store: Store
    region: Region
    register: Register
    start: date
    today: date
    # What lies below the installation's home, by path: pictures and raw messages.
    files: dict[str, bytes] = field(default_factory=dict)


def generate(
    population: int, years: int, seed: int | str, now: datetime, zone: ZoneInfo, report: Report = lambda *_: None,
    district: District | None = None,
) -> Demonstration:  # fmt: skip
    """``now`` is aware; the demonstration ends on its local day and looks two weeks ahead. Karatobe unless said.

    ``report(what, done, total)`` is called as it goes on. Raises ValueError for a size that makes no district.
    """
    if not 100 <= population <= 400_000 or not 1 <= years <= 12:
        raise ValueError("population is 100 to 400000, years 1 to 12")
    rng = Random(seed)  # noqa: S311  # repeatable by the seed; nothing secret is drawn from it
    today = now.astimezone(zone).date()
    start = population_of.years_before(today, years)
    shown = district or karatobe()
    places = list(shown.okrugs)
    store = Store()
    report("people", 0, 1)
    people = population_of.draw(rng, population, today, places[0])
    FamilyMaker(rng, people, places, today).run()
    population_of.number(rng, people, shown.serials)
    population_of.exceptions(rng, people, today)
    maker = RegionMaker(rng, store, shown, population, start, now)
    region = maker.run()
    StaffMaker(maker).run()
    register = Attacher(rng, store, region, people, start, today).run()
    report("people", 1, 1)
    timing = Timing(start, now, zone)
    care = CareMaker(seed, store, register, region, timing)
    for done in care.plan():
        report("hospital", done, (today - start).days + 1)
    morbidity = Morbidity()
    chooser = Chooser(rng, register, region, morbidity, start, today)
    writer = EncounterWriter(rng, store, register, morbidity, region.organisations["regional"], today)
    visits = VisitMaker(rng, store, register, chooser, writer, region.posts, start, now, zone)
    total = (today + timedelta(days=AHEAD) - start).days + 1
    for done in visits.run():
        report("visits", done, total)
    care.write()
    return Demonstration(store, region, register, start, today, care.files)
