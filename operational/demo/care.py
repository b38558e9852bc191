"""Hospital, maternity, laboratory, images, home calls, deaths and signal cases, each from a generator of its own.

A part that changes leaves the draws of the others as they were.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from operational.demo.antenatal import AntenatalWriter
from operational.demo.attaching import Register
from operational.demo.dying import DeathPlanner, DeathWriter
from operational.demo.homecalls import HomeCallWriter
from operational.demo.hospital import HospitalPlanner
from operational.demo.imaging import ImagingWriter
from operational.demo.inbox import InboxWriter
from operational.demo.laboratory import LaboratoryWriter, leaders_of
from operational.demo.pregnancies import PregnancyPlanner
from operational.demo.presence import fill_today
from operational.demo.region import Region
from operational.demo.schema import Store
from operational.demo.signals import SignalWriter
from operational.demo.timing import Timing
from operational.demo.wards import WardWriter


class CareMaker:
    """``plan`` goes before the visits, which keep clear of the hospital; ``write`` goes after them."""

    def __init__(self, seed: int | str, store: Store, register: Register, region: Region, timing: Timing) -> None:
        self.seed = seed
        self.store = store
        self.register = register
        self.region = region
        self.timing = timing
        self.files: dict[str, bytes] = {}
        self.hospital = HospitalPlanner(self._rng("hospital"), register, timing)
        self.deaths = DeathPlanner(self._rng("deaths"), register, timing, self.hospital)
        self.pregnancies = PregnancyPlanner(self._rng("pregnancies"), register, timing, self.hospital)

    def _rng(self, part: str) -> Random:
        return Random(f"{self.seed}/{part}")  # noqa: S311  # repeatable by the seed; nothing secret is drawn from it

    def plan(self) -> Iterator[int]:
        """Deaths, births and what comes of them, then everyday; gives the number of days done."""
        self.deaths.run()
        self.pregnancies.run()
        yield from self.hospital.run()
        doctor = next(p for p in self.region.posts if p.until is None and p.specialty == "therapy")
        fill_today(
            self._rng("today"), self.hospital, self.register, self.timing, doctor.site_on(self.timing.today),
            self.region.organisations["zhusandoy"],
        )  # fmt: skip
        self.register.absences = self.hospital.absences()

    def write(self) -> None:
        """Everything into the tables."""
        parts = self.store, self.register, self.region, self.timing
        wards = WardWriter(self._rng("wards"), *parts)
        wards.run(self.hospital.comings)
        antenatal = AntenatalWriter(self._rng("antenatal"), *parts)
        antenatal.run(self.pregnancies.expecting)
        HomeCallWriter(self._rng("home calls"), *parts).run(self.hospital.comings)
        leaders = leaders_of(self.store, antenatal.keys, self.timing.today)
        LaboratoryWriter(self._rng("laboratory"), *parts).run(wards.stays, self.pregnancies.expecting, leaders)
        imaging = ImagingWriter(self._rng("imaging"), *parts, self.files)
        imaging.run(wards.stays)
        InboxWriter(self.store, self.region, self.timing, imaging, self.files).run()
        deaths = DeathWriter(self._rng("registering deaths"), *parts).run(self.deaths.deaths)
        SignalWriter(self._rng("signals"), *parts).run(wards.stays, deaths)
