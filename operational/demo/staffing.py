"""Beds, hospital staff, laboratory and radiology, devices: the rest of the region that acts need.

Numbers of beds are own estimates for a district of 16,000 people; of the regional hospitals only the beds that the
district's people fill are shown, so that occupancy can be read.
"""

from __future__ import annotations

from typing import Final

from operational.demo.people import rows
from operational.demo.region import FOUNDED, BedPlan, RegionMaker, Worker

DISTRICT_PEOPLE: Final = 16_000
NURSES: Final = ("nursing", "midwifery", "laboratory_technician", "radiology")


class StaffMaker:
    """Adds to the region that ``maker`` made."""

    def __init__(self, maker: RegionMaker) -> None:
        self.maker = maker
        self.region = maker.region
        self.store = maker.store

    def run(self) -> None:
        """Beds, staff and devices."""
        self._beds()
        self._staff()
        self._site_nurses()
        self._devices()

    def _beds(self) -> None:
        for row in rows("beds.csv"):
            key = row["organisation"], row["department"]
            counts = [(FOUNDED, self._scaled(row["beds"]))]
            if row["later"] and self._scaled(row["later"]) != counts[0][1]:
                counts.append((self.maker.month_start(float(row["part"])), self._scaled(row["later"])))
            ends = [day for day, _ in counts[1:]]
            for (since, beds), until in zip(counts, [*ends, None], strict=True):
                self.store.bed_stock.add(
                    self.region.organisations[key[0]], self.region.departments[key], row["bed_profile"],
                    row["hospital_kind"], beds, since, until,
                )  # fmt: skip
            self.region.beds.append(BedPlan(*key, row["bed_profile"], row["hospital_kind"], tuple(counts)))

    def _scaled(self, beds: str) -> int:
        return max(1, round(int(beds) * self.maker.population / DISTRICT_PEOPLE))

    def _staff(self) -> None:
        number = 0
        for row in rows("hospital_staff.csv"):
            for place in range(int(row["count"])):
                number += 1
                key, kazakh = self.maker.person("F" if row["specialty"] in NURSES else None)
                self.maker.role(key, row["organisation"], row["department"], row["specialty"], row["position"])
                login = row["login"] if row["login"] and place == 0 else f"staff{number:03d}"
                user = self.maker.user(key, login, kazakh)
                if login == row["login"]:
                    self.region.staff[login] = key
                    self.region.users[login] = user
                team = self.region.teams.setdefault((row["organisation"], row["department"]), [])
                team.append(Worker(key, user, row["specialty"], row["position"], kazakh))

    def _site_nurses(self) -> None:
        """The nurse of the site whose doctor the demonstration signs in as."""
        doctor = next(post for post in self.region.posts if post.until is None and post.specialty == "therapy")
        site = doctor.site_on(self.maker.today)
        assignments = self.store.site_assignment
        for key in range(1, len(assignments) + 1):
            if assignments.value(key, "site_id") == site and assignments.value(key, "duty") == "nurse":
                nurse = assignments.value(key, "practitioner_id")
                self.region.staff["nurse"] = nurse
                self.region.users["nurse"] = self.maker.user(nurse, "nurse", True)

    def _devices(self) -> None:
        for row in rows("devices.csv"):
            self.region.devices[row["code"]] = self.store.device.add(
                self.region.organisations[row["organisation"]],
                self.region.departments[row["organisation"], row["department"]], row["code"], row["name_kk"],
                row["name_ru"], row["kind"], row["protocol"], row["address"], row["modality"] or None,
                row["charset"] or None, True,
            )  # fmt: skip
        for row in rows("device_codes.csv"):
            self.store.device_test_code.add(self.region.devices[row["device"]], row["device_code"], row["test_code"])
