"""Two years of work, day by day: schedules, slots, bookings and the visits that come of them.

Everything is drawn in the order of time, so that a follow-up, a referral and a merge know what went before.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Final
from zoneinfo import ZoneInfo

from operational.demo.attaching import Register
from operational.demo.choosing import HOME_SERVICE, REMOTE_SERVICE, Chooser
from operational.demo.people import age_on, rows
from operational.demo.records import EncounterWriter, Plan, Referral
from operational.demo.region import Post
from operational.demo.schema import Store

AHEAD: Final = 14
# How much of the slots is taken, by month: people come most in winter, least in summer.
DEMAND: Final = (0.92, 0.94, 0.88, 0.82, 0.76, 0.66, 0.60, 0.64, 0.78, 0.84, 0.88, 0.90)
WEEKDAY: Final = (1.06, 1.03, 1.0, 0.98, 0.93, 0.8, 0.7)
CHANNELS: Final = (("registry", 34), ("phone", 22), ("doctor", 10), ("patient_app", 13), ("egov", 12), ("terminal", 3),
                   ("walk_in", 6))  # fmt: skip
CANCELS: Final = (("patient_request", 40), ("patient_recovered", 18), ("no_transport", 14), ("rebooked", 12),
                  ("booked_by_mistake", 6), ("hospitalised", 4), ("other", 6))  # fmt: skip
NO_SHOW: Final = 0.065
CANCELLED: Final = 0.06
ABSENT: Final = 0.006
HOLIDAY_DAYS: Final = 24
# People for each doctor in a district of the usual size; with fewer people the doctors receive on fewer days.
PEOPLE_PER_POST: Final = 500
HOME_VISITS: Final = 0.9


class VisitMaker:
    """Fills schedules, slots, appointments and, through the writer, visits."""

    def __init__(
        self, rng: Random, store: Store, register: Register, chooser: Chooser, writer: EncounterWriter,
        posts: list[Post], start: date, now: datetime, zone: ZoneInfo,
    ) -> None:  # fmt: skip
        self.rng = rng
        self.store = store
        self.register = register
        self.chooser = chooser
        self.writer = writer
        self.posts = posts
        self.start = start
        self.zone = zone
        self.today = now.astimezone(zone).date()
        self.now = now.astimezone(UTC).replace(tzinfo=None)
        self.holidays = {(int(r["month"]), int(r["day"])) for r in rows("holidays.csv")}
        self.busy_share = min(1.0, len(register.people) / (PEOPLE_PER_POST * len(posts)))
        self.leave = [(rng.randint(130, 250), rng.randint(0, 20)) for _ in posts]
        self.follow_ups: dict[tuple[date, int], list[Plan]] = {}
        self.regional = writer.regional

    def run(self) -> Iterator[int]:
        """Gives the number of days done after each day."""
        last = self.today + timedelta(days=AHEAD)
        for number in range((last - self.start).days + 1):
            self._day(self.start + timedelta(days=number))
            yield number + 1

    # --- the day ---------------------------------------------------------------------------------------------

    def _day(self, day: date) -> None:
        open_today = day == self.today or (day.weekday() < 6 and (day.month, day.day) not in self.holidays)
        if not open_today:
            return
        midnight = datetime.combine(day, time(), self.zone).astimezone(UTC).replace(tzinfo=None)
        busy: set[int] = set()
        for number, post in enumerate(self.posts):
            if not post.works_on(day) or self._on_leave(number, day) or self._is_idle(number, day):
                continue
            if day != self.today and str(day.isoweekday()) not in post.weekdays:
                continue
            hours = self._hours(number, post, day)
            if hours is None:
                continue
            self._shift(post, day, midnight, *hours, busy)
            if day == self.today:
                self._duty(post, day, midnight, hours[1], busy)
            if post.ambulant and day <= self.today:
                self._home_visits(post, day, midnight, hours[0], busy)

    def _on_leave(self, number: int, day: date) -> bool:
        first, shift = self.leave[number]
        begins = first + (day.year * 7 + shift) % 40
        return day != self.today and begins <= day.timetuple().tm_yday < begins + HOLIDAY_DAYS

    def _is_idle(self, number: int, day: date) -> bool:
        return day < self.today and (number * 37 + day.toordinal() * 61) % 100 >= self.busy_share * 100

    def _hours(self, number: int, post: Post, day: date) -> tuple[float, float] | None:
        """The first and the last hour of reception; None for a free day."""
        if day.weekday() >= 5 and day != self.today:
            return (9.0, 12.0) if (number + day.isocalendar().week) % 4 == 0 else None
        if not post.ambulant:
            return 9.0, 13.0
        evening = (number + day.toordinal()) % 7 == 0
        if (number + day.weekday()) % 2:
            return (14.0, 20.0) if evening else (14.0, 18.0)
        return 8.5, 12.5

    def _duty(self, post: Post, day: date, midnight: datetime, last: float, busy: set[int]) -> None:
        """Today site doctors go on after their hours, so that whoever looks in the evening still sees people come."""
        now = (self.now - midnight) / timedelta(hours=1)
        first = max(last, int(now) - 1.0)
        end = min(24.0, int(now) + 3.0)
        if post.ambulant and now > last - 1 and end - first >= 1:
            self._shift(post, day, midnight, first, end, busy)

    def _shift(self, post: Post, day: date, midnight: datetime, first: float, last: float, busy: set[int]) -> None:
        starts, ends = midnight + timedelta(hours=first), midnight + timedelta(hours=last)
        made = midnight - timedelta(days=21, hours=-9)
        absent = starts - timedelta(minutes=70) if day < self.today and self.rng.random() < ABSENT else None
        schedule = self.store.schedule.add(
            post.organisation, post.role, post.practitioner, post.department, post.room, starts, ends,
            post.slot_minutes, absent, made,
        )  # fmt: skip
        length = timedelta(minutes=post.slot_minutes)
        fill = self._fill(post, day)
        at = starts
        while at + length <= ends:
            blocked = made if self.rng.random() < 0.01 and absent is None else None
            slot = self.store.slot.add(
                post.organisation, schedule, post.practitioner, post.room, at, at + length, 1, blocked, absent
            )
            if blocked is None and self.rng.random() < fill:
                self._take(post, day, slot, at, at + length, absent, busy)
            at += length

    def _fill(self, post: Post, day: date) -> float:
        demand = DEMAND[day.month - 1] * WEEKDAY[day.weekday()]
        if day == self.today:
            demand *= 0.88
        if day > self.today:
            demand *= max(0.08, 0.75 - 0.055 * (day - self.today).days)
        return min(0.97, demand)

    # --- a slot ----------------------------------------------------------------------------------------------

    def _take(
        self, post: Post, day: date, slot: int, starts: datetime, ends: datetime, absent: datetime | None,
        busy: set[int],
    ) -> None:  # fmt: skip
        referral = self._referral(post, day, busy)
        plan = self._plan(post, day, referral, busy)
        if plan is None:
            return
        busy.add(plan.person)
        status, cancelled, reason = self._status(starts, absent)
        financing = self.writer.financing(plan.person, post, day)
        patient = self.writer.patient_of(plan.person, day)
        channel = "referral" if referral else self._channel(plan)
        arrived = starts - timedelta(minutes=self.rng.randint(0, 25)) if status in ("fulfilled", "arrived") else None
        appointment = self.store.appointment.add(
            post.organisation, slot, 1, 1, patient, post.practitioner, post.role, post.department, post.room,
            plan.service, channel, financing, status, starts, ends, self._booked(starts, cancelled, channel), arrived,
            cancelled, reason, referral.request if referral else None,
        )  # fmt: skip
        if status == "fulfilled":
            self._attended(plan, post, patient, appointment, starts, day, financing, referral)
        elif referral and status == "cancelled":
            waiting = self.writer.referrals[post.specialty, post.organisation == self.regional]
            waiting.insert(0, referral)
        if status == "cancelled" and absent is None and self.rng.random() < 0.5 and starts < self.now:
            self._take(post, day, slot, starts, ends, absent, busy)

    def _referral(self, post: Post, day: date, busy: set[int]) -> Referral | None:
        regional = post.organisation == self.regional
        if post.ambulant or (not regional and self.rng.random() < 0.35):
            return None
        referral = self.writer.next_referral(post.specialty, regional, day)
        if referral and (referral.person in busy or not self.register.free_on(referral.person, day)):
            return None
        return referral

    def _plan(self, post: Post, day: date, referral: Referral | None, busy: set[int]) -> Plan | None:
        if referral:
            return Plan(
                referral.person, referral.icd10, referral.group, "specialist_consultation", "primary",
                "acute" if referral.group in ("injury", "respiratory", "surgical") else "chronic_known", False,
                self.chooser.service(post.specialty, "primary"),
            )  # fmt: skip
        if post.organisation == self.regional:
            return None
        waiting = self.follow_ups.get((day, post.role), [])
        while waiting:
            plan = waiting.pop()
            if plan.person not in busy and self.register.free_on(plan.person, day):
                return plan
        person = self.chooser.draw(post, day, busy)
        return None if person is None else self.chooser.plan(person, post, day)

    def _status(self, starts: datetime, absent: datetime | None) -> tuple[str, datetime | None, str | None]:
        if absent is not None:
            return "cancelled", absent, "doctor_absent"
        chance = self.rng.random()
        if chance < CANCELLED:
            before = starts - timedelta(hours=self.rng.randint(2, 40))
            if before < self.now:
                return "cancelled", before, self._weighted(CANCELS)
        if starts > self.now:
            soon = starts - self.now < timedelta(minutes=25) and self.rng.random() < 0.6
            return ("arrived" if soon else "booked"), None, None
        if self.now - starts < timedelta(minutes=35):
            return "arrived", None, None
        return ("noshow" if chance > 1 - NO_SHOW else "fulfilled"), None, None

    def _weighted(self, pairs: tuple[tuple[str, int], ...]) -> str:
        return self.rng.choices([value for value, _ in pairs], [weight for _, weight in pairs])[0]

    def _channel(self, plan: Plan) -> str:
        if plan.reason == "screening" and self.rng.random() < 0.6:
            return "screening_list"
        if plan.kind == "repeat" and self.rng.random() < 0.4:
            return "doctor"
        return self._weighted(CHANNELS)

    def _booked(self, starts: datetime, cancelled: datetime | None, channel: str) -> datetime:
        if channel == "walk_in":
            booked = starts - timedelta(minutes=self.rng.randint(8, 70))
        else:
            booked = starts - timedelta(hours=min(1 + self.rng.expovariate(1 / 60), 330))
        latest = min(self.now, cancelled or self.now)
        if booked > latest:
            booked = latest - timedelta(minutes=self.rng.randint(1, 600))
        return booked.replace(microsecond=0)

    def _attended(
        self, plan: Plan, post: Post, patient: int, appointment: int, starts: datetime, day: date, financing: str,
        referral: Referral | None,
    ) -> None:  # fmt: skip
        begins = starts + timedelta(minutes=self.rng.randint(0, 6))
        if plan.kind == "repeat" and self.rng.random() < 0.03:
            plan = replace(plan, place="remote", service=REMOTE_SERVICE)
        self.writer.write(
            plan, post, patient, appointment, begins, day, financing, self.rng.randint(7, post.slot_minutes)
        )
        if referral:
            self.store.service_request.change(referral.request, status="completed")
        self._follow_up(plan, post, day)

    def _follow_up(self, plan: Plan, post: Post, day: date) -> None:
        if plan.character != "acute" or plan.kind != "primary" or self.rng.random() >= 0.3:
            return
        later = day + timedelta(days=self.rng.choice((3, 4, 5, 7, 7, 10, 14)))
        again = replace(
            plan, kind="repeat", first=False, service=self.chooser.service(post.specialty, "repeat"), comorbid=None
        )
        self.follow_ups.setdefault((later, post.role), []).append(again)

    # --- at home ---------------------------------------------------------------------------------------------

    def _home_visits(self, post: Post, day: date, midnight: datetime, reception: float, busy: set[int]) -> None:
        if day.weekday() >= 5:
            return
        first = midnight + timedelta(hours=14.5 if reception < 13 else 9.5)
        count = int(self.rng.expovariate(1 / (HOME_VISITS * DEMAND[day.month - 1] + 0.5)))
        for number in range(min(count, 5)):
            begins = first + timedelta(minutes=40 * number + self.rng.randint(0, 12))
            if begins + timedelta(minutes=45) > self.now:
                return
            person = self.chooser.draw(post, day, busy)
            if person is None:
                continue
            busy.add(person)
            plan = self._at_home(person, post, day)
            patient = self.writer.patient_of(person, day)
            self.writer.write(plan, post, patient, None, begins, day, "gobmp", self.rng.randint(15, 30))
            self._follow_up(plan, post, day)

    def _at_home(self, person: int, post: Post, day: date) -> Plan:
        plan = self.chooser.plan(person, post, day)
        newborn = age_on(self.register.people[person].birth, day) < 1 and plan.group == "preventive"
        if newborn:
            return replace(plan, place="home", reason="child_patronage", service="HOM-006")
        reason = "active_visit" if plan.group != "preventive" and self.rng.random() < 0.3 else plan.reason
        return replace(plan, place="home", reason=reason, service=HOME_SERVICE[post.specialty])
