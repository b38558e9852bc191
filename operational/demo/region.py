"""The region's organisations, departments, sites, rooms and staff, with the changes of two years."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import date, datetime, time
from random import Random
from typing import Final

from kmis.names import sort_key
from operational.demo.districts import District
from operational.demo.names import Names, Sex
from operational.demo.people import rows
from operational.demo.schema import Store

FOUNDED: Final = date(2010, 1, 1)
RURAL: Final = ("egindikol", "sulykol", "zhusandoy")
SITE_SIZE: Final = {"therapeutic": 1850, "paediatric": 950, "general_practice": 1300}
SITE_TITLES: Final = {
    "therapeutic": ("терапиялық", "терапевтический"),
    "paediatric": ("педиатриялық", "педиатрический"),
    "general_practice": ("жалпы практика", "общей практики"),
}
ADULTS: Final = 0.66


@dataclass(slots=True)
class Post:
    """A doctor's position with its hours; ``duty`` names the site answered for during a time, if any."""

    role: int
    practitioner: int
    organisation: int
    department: int
    room: int
    specialty: str
    user: int
    slot_minutes: int
    weekdays: str
    kazakh: bool
    since: date
    until: date | None = None
    duty: list[tuple[int, date, date | None]] = field(default_factory=list)
    ambulant: bool = True  # a site doctor also visits people at home

    def site_on(self, day: date) -> int | None:
        """The site that the doctor answers for on a day."""
        for site, since, until in self.duty:
            if since <= day and (until is None or day < until):
                return site
        return None

    def works_on(self, day: date) -> bool:
        """Whether the position is held on a day."""
        return self.since <= day and (self.until is None or day < self.until)


@dataclass(frozen=True, slots=True)
class SitePlan:
    """A site and whom it takes."""

    key: int
    organisation: str
    kind: str


@dataclass(frozen=True, slots=True)
class Worker:
    """Someone of a hospital, of a laboratory or of another service; ``position`` as in the directory."""

    practitioner: int
    user: int
    specialty: str
    position: str
    kazakh: bool


@dataclass(frozen=True, slots=True)
class BedPlan:
    """Beds of one profile in a department: ``counts`` gives their number from a day on."""

    organisation: str
    department: str
    profile: str
    kind: str
    counts: tuple[tuple[date, int], ...]

    def on(self, day: date) -> int:
        """The number of beds on a day."""
        return next((beds for since, beds in reversed(self.counts) if since <= day), 0)


@dataclass(slots=True)
class Region:
    """Keys of what was made, by the keys of the data files."""

    organisations: dict[str, int] = field(default_factory=dict)
    departments: dict[tuple[str, str], int] = field(default_factory=dict)
    sites: list[SitePlan] = field(default_factory=list)
    posts: list[Post] = field(default_factory=list)
    staff: dict[str, int] = field(default_factory=dict)
    users: dict[str, int] = field(default_factory=dict)
    teams: dict[tuple[str, str], list[Worker]] = field(default_factory=dict)
    beds: list[BedPlan] = field(default_factory=list)
    devices: dict[str, int] = field(default_factory=dict)


class RegionMaker:
    """Fills the tables of organisation and staff."""

    def __init__(
        self, rng: Random, store: Store, district: District, population: int, start: date, now: datetime
    ) -> None:
        self.rng = rng
        self.store = store
        self.district = district
        self.population = population
        self.start = start
        self.now = now
        self.today = now.date()
        self.names = Names(rng)
        self.region = Region()
        self.numbers: dict[int, int] = {}

    def run(self) -> Region:
        """Organisations with their departments, then leaders, sites with their doctors, specialists."""
        self._organisations()
        self._departments()
        self._leaders()
        self._sites(self.district.shares)
        self._specialists()
        return self.region

    # --- organisations ---------------------------------------------------------------------------------------

    def _organisations(self) -> None:
        for row in self.district.organisations:
            key = self.store.organisation.add(row["code"], row["kind"], None)
            self.region.organisations[row["key"]] = key
            parent = self.region.organisations.get(row["parent"])
            level = int(row["perinatal_level"]) if row["perinatal_level"] else None
            since = FOUNDED
            if row["key"] == "polyclinic":
                # An older name, so that history shows: reports of that time carry it.
                since = self.month_start(0.3)
                self.store.organisation_version.add(
                    key, parent, *self.district.earlier, row["kato"], level, FOUNDED, since
                )
            self.store.organisation_version.add(
                key, parent, row["name_kk"], row["name_ru"], row["kato"], level, since, None
            )

    def month_start(self, part: float) -> date:
        """The first of a month after such a part of the time shown."""
        day = self.start + (self.today - self.start) * part
        return (
            date(day.year, day.month, 1)
            if (day.year, day.month) > (self.start.year, self.start.month)
            else (date(day.year + day.month // 12, day.month % 12 + 1, 1))
        )

    def _departments(self) -> None:
        for row in rows("departments.csv"):
            for key in RURAL if row["organisation"] == "rural" else (row["organisation"],):
                self.region.departments[key, row["code"]] = self.store.department.add(
                    self.region.organisations[key], row["code"], row["kind"], row["name_kk"], row["name_ru"],
                    FOUNDED, None,
                )  # fmt: skip

    # --- staff -----------------------------------------------------------------------------------------------

    def person(self, sex: Sex | None = None) -> tuple[int, bool]:
        """A practitioner; also whether the person is Kazakh-speaking."""
        chosen: Sex = sex or ("M" if self.rng.random() < 0.3 else "F")
        family = self.names.family()
        surname = family.surname_m if chosen == "M" else family.surname_f
        given = self.names.first_name(chosen, family.kazakh)
        father = self.names.first_name("M", family.kazakh)
        patronymic = self.names.patronymic(father, chosen, 1980, family.kazakh)
        key = self.store.practitioner.add(surname, given, patronymic, sort_key(surname, given, patronymic), True)
        return key, family.kazakh

    def role(
        self, practitioner: int, organisation: str, department: str, specialty: str, position: str,
        since: date = FOUNDED, until: date | None = None,
    ) -> int:  # fmt: skip
        """A position of the practitioner."""
        return self.store.practitioner_role.add(
            practitioner, self.region.organisations[organisation], self.region.departments[organisation, department],
            specialty, position, since, until,
        )  # fmt: skip

    def user(self, practitioner: int, login: str, kazakh: bool) -> int:
        """A user of a practitioner who cannot sign in until a password is given."""
        surname = self.store.practitioner.value(practitioner, "surname")
        given = self.store.practitioner.value(practitioner, "given_name")
        return self.store.app_user.add(
            login, f"{surname} {given[0]}.", "!", practitioner, "kk" if kazakh else "ru", midnight(FOUNDED)
        )

    def _leaders(self) -> None:
        for login, organisation, department, specialty, position in (
            ("chief", "hospital", "01", "public_health", "chief_physician"),
            ("registrar", "polyclinic", "06", "nursing", "registrar"),
            ("manager", "region", "01", "public_health", "regional_manager"),
            ("engineer", "region", "01", "public_health", "data_engineer"),
            ("admin", "region", "01", "public_health", "system_administrator"),
        ):
            key, kazakh = self.person()
            self.role(key, organisation, department, specialty, position)
            self.region.staff[login] = key
            self.region.users[login] = self.user(key, login, kazakh)

    def _room(self, organisation: str, department: str) -> int:
        owner = self.region.organisations[organisation]
        number = self.numbers[owner] = self.numbers.get(owner, 0) + 1
        code = str(100 * (1 + number // 20) + number % 20)
        return self.store.room.add(
            owner, self.region.departments[organisation, department], code, f"{code}-кабинет", f"Кабинет {code}"
        )

    # --- sites -----------------------------------------------------------------------------------------------

    def _sites(self, shares: dict[str, float]) -> None:
        for organisation, share in shares.items():
            people = self.population * share
            if organisation == "polyclinic":
                self._sites_of(organisation, "therapeutic", people * ADULTS, "01", "therapy", "site_doctor")
                self._sites_of(organisation, "paediatric", people * (1 - ADULTS), "02", "paediatrics", "paediatrician")
            else:
                self._sites_of(organisation, "general_practice", people, "01", "general_practice", "gp")
        self._exchange()

    def _sites_of(
        self, organisation: str, kind: str, people: float, department: str, specialty: str, position: str
    ) -> None:
        owner = self.region.organisations[organisation]
        for _ in range(max(1, round(people / SITE_SIZE[kind]))):
            number = sum(1 for plan in self.region.sites if plan.organisation == organisation) + 1
            titles = SITE_TITLES[kind]
            site = self.store.site.add(
                owner, f"{number:02d}", kind, f"№ {number} {titles[0]} учаскесі", f"Участок № {number} {titles[1]}",
                FOUNDED, None,
            )  # fmt: skip
            self.region.sites.append(SitePlan(site, organisation, kind))
            self._doctors(site, organisation, department, specialty, position, len(self.region.sites))
            nurse, _ = self.person("F")
            self.role(nurse, organisation, department, "nursing", "site_nurse")
            self.store.site_assignment.add(site, nurse, "nurse", FOUNDED, None)

    def _doctors(
        self, site: int, organisation: str, department: str, specialty: str, position: str, number: int
    ) -> None:
        """The doctors of a site one after another: every third site has a change within the time shown."""
        changes = [self.month_start(self.rng.uniform(0.25, 0.8))] if number % 3 == 0 else []
        starts = [FOUNDED, *changes]
        ends: list[date | None] = [*changes, None]
        room = self._room(organisation, department)
        for since, until in zip(starts, ends, strict=True):
            key, kazakh = self.person()
            role = self.role(key, organisation, department, specialty, position, since, until)
            self._post(key, role, room, specialty, 20 if kind_is_long(position) else 15, "123456", kazakh, since, until)
            self.region.posts[-1].duty.append((site, since, until))
            self.store.site_assignment.add(site, key, "doctor", since, until)

    def _exchange(self) -> None:
        """Two doctors of the polyclinic change sites, so that a doctor's people are not the same all the time."""
        settled = [p for p in self.region.posts if p.since == FOUNDED and p.until is None and p.specialty == "therapy"]
        if len(settled) < 2:
            return
        day = self.month_start(0.55)
        first, second = settled[:2]
        sites = first.duty[0][0], second.duty[0][0]
        for post, old, new in ((first, sites[0], sites[1]), (second, sites[1], sites[0])):
            post.duty = [(old, FOUNDED, day), (new, day, None)]
            for key in range(1, len(self.store.site_assignment) + 1):
                if self.store.site_assignment.value(key, "practitioner_id") == post.practitioner:
                    self.store.site_assignment.change(key, valid_to=day)
            self.store.site_assignment.add(new, post.practitioner, "doctor", day, None)

    # --- specialists -----------------------------------------------------------------------------------------

    def _specialists(self) -> None:
        for row in rows("specialists.csv"):
            for _ in range(max(1, math.floor(self.population / int(row["per_people"])))):
                key, kazakh = self.person()
                role = self.role(key, row["organisation"], row["department"], row["specialty"], row["position"])
                room = self._room(row["organisation"], row["department"])
                self._post(
                    key, role, room, row["specialty"], int(row["slot_minutes"]), row["days"], kazakh, FOUNDED, None
                )
                self.region.posts[-1].ambulant = False

    def _post(
        self, key: int, role: int, room: int, specialty: str, minutes: int, days: str, kazakh: bool,
        since: date, until: date | None,
    ) -> None:  # fmt: skip
        roles = self.store.practitioner_role
        login = f"doctor{len(self.region.posts) + 1:03d}"
        self.region.posts.append(
            Post(
                role, key, roles.value(role, "organisation_id"), roles.value(role, "department_id"), room, specialty,
                self.user(key, login, kazakh), minutes, days, kazakh, since, until,
            )
        )  # fmt: skip


def kind_is_long(position: str) -> bool:
    """Whether the position's reception takes longer for each patient."""
    return position in ("site_doctor", "gp", "paediatrician")


def midnight(day: date) -> datetime:
    """The first moment of a day in UTC, without a zone, as the tables hold times."""
    return datetime.combine(day, time())
