"""Calls to people's homes: those that the visits at home answer, the ones that failed, the ones of today."""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random
from typing import Any, Final

from operational.demo.attaching import Register
from operational.demo.hospital import Coming
from operational.demo.region import Post, Region
from operational.demo.schema import Store
from operational.demo.timing import Timing, weighted

COMPLAINTS: Final = (
    ("Дене қызуы 38,5, жөтел / Температура 38,5, кашель", 40.0), ("Қан қысымы жоғарылады / Повышение давления", 24.0),
    ("Бас айналу, әлсіздік / Головокружение, слабость", 14.0), ("Белдің ауруы / Боль в пояснице", 10.0),
    ("Іштің ауруы, құсу / Боль в животе, рвота", 8.0), ("Ентігу / Одышка", 4.0),
)  # fmt: skip
AFTER_HOSPITAL: Final = "Стационардан шыққаннан кейін қарау / Осмотр после выписки из стационара"
FROM_AMBULANCE: Final = "Жедел жәрдем активі / Актив от скорой помощи"
CANCELLED: Final = (("Пациент өзі келді / Пациент пришёл сам", 3.0), ("Пациент бас тартты / Отказ пациента", 2.0))
FAILED: Final = 0.035
OPEN_TODAY: Final = 4


class HomeCallWriter:
    """Writes home calls; needs the visits to be there."""

    def __init__(self, rng: Random, store: Store, register: Register, region: Region, timing: Timing) -> None:
        self.rng = rng
        self.store = store
        self.register = register
        self.region = region
        self.timing = timing
        self.rows: list[tuple[datetime, tuple[Any, ...]]] = []

    def run(self, comings: list[Coming]) -> None:
        """All of them in the order of the calls."""
        discharged: dict[int, datetime] = {}
        for coming in sorted(comings, key=lambda c: c.arrived):
            if coming.discharged and coming.outcome == "discharged":
                discharged[coming.person] = coming.discharged
        self._answered(discharged)
        self._today()
        for _, row in sorted(self.rows, key=lambda r: (r[0], r[1][1])):
            self.store.home_call.add(*row)

    def _answered(self, discharged: dict[int, datetime]) -> None:
        table = self.store.encounter
        place = {name: table.columns.index(name) for name in table.columns}
        for row in table.rows:
            if row[place["place"]] != "home" or row[place["voided_at"]] is not None:
                continue
            if row[place["visit_reason"]] == "child_patronage":
                continue
            started, patient = row[place["started_at"]], row[place["patient_id"]]
            person = patient - 1
            if person >= len(self.register.people):
                continue
            site = self._site(person, started)
            if site is None or site[1] != row[place["owner_organisation_id"]]:
                continue
            left = discharged.get(person)
            after = left is not None and timedelta(0) < started - left < timedelta(days=6)
            active = row[place["visit_reason"]] == "active_visit" or after
            source = "hospital" if after else "ambulance" if active else "patient"
            called = started - timedelta(minutes=self.rng.randint(70, 420))
            if after and left is not None:
                called = max(left + timedelta(minutes=5), called)
            self._add(
                site, person, active, source, called, started + timedelta(minutes=self.rng.randint(-50, 240)),
                row[place["practitioner_id"]], "done", started, row[0], None,
            )  # fmt: skip
            if self.rng.random() < FAILED:
                status = self.rng.choice(("not_found", "cancelled"))
                self._add(
                    site, person, False, "patient", called - timedelta(days=1), started - timedelta(hours=16),
                    row[place["practitioner_id"]], status, started - timedelta(hours=19), None,
                    weighted(self.rng, CANCELLED) if status == "cancelled" else None,
                )  # fmt: skip

    def _today(self) -> None:
        """Calls of the last hours that wait for somebody, some already given to the doctor of the site."""
        for post in self.region.posts:
            site = post.site_on(self.timing.today) if post.ambulant and post.works_on(self.timing.today) else None
            if site is None:
                continue
            people = [p for p in range(len(self.register.people)) if self._lives_at(p, site)]
            for number, person in enumerate(self.rng.sample(people, min(OPEN_TODAY, len(people)))):
                called = self.timing.now - timedelta(minutes=self.rng.randint(8, 300))
                active = number == 0
                self._add(
                    (site, post.organisation), person, active, "ambulance" if active else "patient", called,
                    called + timedelta(hours=self.rng.choice((2, 4, 6))), post.practitioner if number % 2 else None,
                    "assigned" if number % 2 else "registered", None, None, None,
                )  # fmt: skip

    def _lives_at(self, person: int, site: int) -> bool:
        return (
            self.register.site_on(person, self.timing.today) == site
            and self.register.free_on(person, self.timing.today)
        )  # fmt: skip

    def _site(self, person: int, at: datetime) -> tuple[int, int] | None:
        day = self.timing.day(at)
        for stay in self.register.stays[person]:
            if stay.since <= day and (stay.until is None or day < stay.until):
                return stay.site, stay.organisation
        return None

    def _add(
        self, site: tuple[int, int], person: int, active: bool, source: str, called: datetime, due: datetime,
        practitioner: int | None, status: str, performed: datetime | None, encounter: int | None, cancel: str | None,
    ) -> None:  # fmt: skip
        who = self.register.people[person]
        complaint = weighted(self.rng, COMPLAINTS)
        if active:
            complaint = AFTER_HOSPITAL if source == "hospital" else FROM_AMBULANCE
        assigned = called + timedelta(minutes=self.rng.randint(2, 7)) if practitioner else None
        self.rows.append(
            (called, (
                site[1], person + 1, site[0], "active" if active else "call", source,
                "urgent" if self.rng.random() < 0.12 else "routine", called, max(due, called + timedelta(minutes=30)),
                complaint, who.address, who.phone, "38,5" if complaint.startswith("Дене") else None, practitioner,
                status, assigned, None if status == "cancelled" else performed, encounter,
                "Көмек көрсетілді / Помощь оказана" if status == "done" else None, cancel, called,
            ))
        )  # fmt: skip


def site_doctor(region: Region, site: int, day: Any) -> Post | None:
    """The doctor who answers for a site on a day."""
    return next((p for p in region.posts if p.ambulant and p.works_on(day) and p.site_on(day) == site), None)
