"""Acts of laboratory and radiology: orders, results of analysers, results by hand, pictures, descriptions."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from operational.demo.laboratory import CODED, WITHOUT_INTERVAL, Intervals, lab_units
from operational.demo.live.devices import Measured, oru
from operational.demo.live.polyclinic import REASON
from operational.demo.live.speaking import Nobody
from operational.demo.live.stage import Row, Stage
from operational.demo.people import rows
from operational.demo.pictures import Identity, Picture, chest, head, uid

BY_DEVICE: Final = ("cbc", "cbc5", "chemistry", "glucose", "lipids", "amylase")
BY_HAND: Final = ("hba1c", "urine", "ferritin", "thyroid", "clotting")
PICTURED: Final = {("CT", "HEAD"): "KARATOBE_CT", ("DX", "CHEST"): "KARATOBE_DX"}
HEADS: Final = 0.2
ADULT_DAYS: Final = 12_000
ORDER: Final = """
    select o.id, o.patient_id, o.accession_number, o.modality, o.body_part, p.sex from diagnostic_order o
    join patient p on p.id = o.patient_id and p.death_date is null
    where o.performing_organisation_id = %(own)s and o.category = %(category)s and o.ordered_at < now()
"""
UNREPORTED: Final = """
    and not exists (select from diagnostic_report r where r.order_id = o.id and r.voided_at is null)
"""


@dataclass(frozen=True, slots=True)
class Laboratory:
    """Panels, codes of the analysers, units and intervals, as the generated history has them."""

    panels: dict[str, tuple[str, list[str]]]
    codes: dict[tuple[str, str], str]
    units: dict[str, str]
    intervals: Intervals

    def value(self, stage: Stage, test: str, sex: str) -> str:
        """A plausible number of an adult, now and then outside the interval; of a coded test its usual code."""
        if test in CODED:
            return CODED[test]
        low, high = self.intervals.of(test, sex, ADULT_DAYS)
        if high is None:
            low, high = WITHOUT_INTERVAL.get(test, (low or 1.0, (low or 1.0) * 3))
        bottom = low if low is not None else 0.15 * high
        middle, half = (bottom + high) / 2, (high - bottom) / 2
        found = max(middle + half * stage.rng.gauss(0, 0.7), bottom * 0.25)
        return f"{found:.{0 if high >= 120 else 1 if high >= 12 else 3 if test == 'U_SG' else 2}f}"


@cache
def laboratory() -> Laboratory:
    """The laboratory's tables, read once."""
    return Laboratory(
        {row["panel"]: (row["device"], row["tests"].split()) for row in rows("lab_panels.csv")},
        {(row["device"], row["test_code"]): row["device_code"] for row in rows("device_codes.csv")},
        lab_units(),
        Intervals(),
    )


def order_tests(stage: Stage) -> None:
    """The site doctor orders tests: most of them for an analyser, some that are written by hand."""
    panel = stage.rng.choice(BY_DEVICE if stage.rng.random() < 0.75 else BY_HAND)
    who = stage.person(stage.user("doctor").organisation_id, "p.birth_date < current_date - 6600")
    body = {
        "patient_id": who["patient_id"], "category": "laboratory", "tests": laboratory().panels[panel][1],
        "performing_organisation_id": stage.user("lab").organisation_id, "icd10_code": "Z00.0",
        "priority": stage.rng.choice(("routine", "routine", "urgent")),
    }  # fmt: skip
    key = stage.api.post("doctor", "/api/orders", body)["id"]
    stage.keep("order.placed", "diagnostic_order", id=key)


def cancel_order(stage: Stage) -> None:
    """An order is not needed any more."""
    row = stage.one(
        f"{ORDER} and o.status = 'active' and o.practitioner_id = %(doctor)s {UNREPORTED} order by o.id desc",
        own=stage.user("lab").organisation_id, category="laboratory", doctor=stage.user("doctor").practitioner_id,
    )  # fmt: skip
    stage.api.post("doctor", f"/api/orders/{row['id']}/cancel", {"reason": REASON})
    stage.audited("order.cancelled", "order.cancelled", "diagnostic_order", row["id"])


def send_results(stage: Stage) -> None:
    """An analyser sends the values of an order over MLLP, by the order's accession number."""
    row, tests = _waiting_tests(stage, by_device=True)
    known = laboratory()
    device = next(name for name in ("HEM-1", "BIO-1") if (name, tests[0]) in known.codes)
    values = [
        Measured(known.codes[device, test], known.value(stage, test, row["sex"]), known.units[test]) for test in tests
    ]
    sender = next(d["address"] for d in rows("devices.csv") if d["code"] == device)
    control = f"L{row['id']}T{stage.now:%y%m%d%H%M%S}"
    at = f"{stage.local:%Y%m%d%H%M%S}"
    stage.play.devices.send(oru(sender, control, row["accession_number"], at, values))
    stage.keep("results.received", "diagnostic_report", filler_number=f"{device}:{control}", order_id=row["id"])


def write_results(stage: Stage) -> None:
    """A laboratory assistant writes the values of an order by hand."""
    row, tests = _waiting_tests(stage, by_device=False)
    values = [{"test_code": test, "value": laboratory().value(stage, test, row["sex"])} for test in tests]
    body = {"values": values, "confirm": True}
    report = stage.api.post("lab", f"/api/orders/{row['id']}/results", body)
    stage.keep("results.written", "diagnostic_report", id=report["id"], order_id=row["id"])


def void_results(stage: Stage) -> None:
    """A report was written to the wrong order."""
    row = stage.one(
        "select r.id, r.patient_id from diagnostic_report r where r.owner_organisation_id = %(own)s"
        " and r.source = 'manual' and r.category = 'laboratory' and r.voided_at is null order by r.id desc",
        own=stage.user("lab").organisation_id,
    )
    stage.api.post("lab", f"/api/results/{row['id']}/void", {"reason": REASON})
    stage.keep("results.voided", "diagnostic_report", id=row["id"], voided_at="*")


def order_pictures(stage: Stage) -> None:
    """A chest, seldom a head, is to be pictured in the hospital."""
    modality, body_part = ("CT", "HEAD") if stage.rng.random() < HEADS else ("DX", "CHEST")
    who = stage.person(stage.user("doctor").organisation_id, "p.birth_date < current_date - 6600")
    body = {
        "patient_id": who["patient_id"], "category": "imaging", "modality": modality, "body_part": body_part,
        "performing_organisation_id": stage.user("xray").organisation_id,
        "station_aet": PICTURED[modality, body_part], "icd10_code": "R51" if modality == "CT" else "J06.9",
    }  # fmt: skip
    key = stage.api.post("doctor", "/api/orders", body)["id"]
    stage.keep("order.placed", "diagnostic_order", id=key)


def send_pictures(stage: Stage) -> None:
    """A modality sends the pictures of an order; an order that waits long has had its chance before."""
    row = stage.one(
        f"{ORDER} and o.status = 'active' and (o.modality, o.body_part) in (('CT', 'HEAD'), ('DX', 'CHEST'))"
        " and not exists (select from imaging_study s where s.order_id = o.id) order by o.id desc",
        own=stage.user("xray").organisation_id, category="imaging",
    )  # fmt: skip
    modality, body_part = row["modality"], row["body_part"]
    identity = Identity(
        "", "", "", row["sex"], row["accession_number"], uid("live", row["accession_number"]), stage.local,
        "Chest PA" if modality == "DX" else "CT head", body_part, "KARATOBE",
    )  # fmt: skip
    pictures: list[Picture] = [chest(identity, row["id"])] if modality == "DX" else head(identity, row["id"])
    for stored in stage.play.devices.store(PICTURED[modality, body_part], pictures):
        stage.keep("picture.stored", "imaging_instance", sop_uid=stored.sop_uid)


def describe(stage: Stage) -> None:
    """Radiology writes what a study shows."""
    own = stage.user("xray").organisation_id
    row = stage.one(
        f"{ORDER} and o.status <> 'cancelled' {UNREPORTED} and exists (select from imaging_study s"
        " where s.order_id = o.id) order by o.id desc",
        own=own, category="imaging",
    )  # fmt: skip
    body = {"conclusion": "Патология анықталмады / Патологии не выявлено", "confirm": True}
    report = stage.api.post("xray", f"/api/orders/{row['id']}/results", body)
    stage.keep("study.described", "diagnostic_report", id=report["id"], order_id=row["id"])


def _waiting_tests(stage: Stage, *, by_device: bool) -> tuple[Row, list[str]]:
    """An order without results and its tests, all of one analyser or all of none. Raises Nobody."""
    known = laboratory()
    measured = sorted({test for _, test in known.codes})
    share = "bool_and" if by_device else "not bool_or"
    row: dict[str, Any] = stage.one(
        f"{ORDER} and o.status = 'active' {UNREPORTED} and (select {share}(t.test_code = any(%(measured)s))"
        " from order_test t where t.order_id = o.id) order by o.id desc",
        own=stage.user("lab").organisation_id, category="laboratory", measured=measured,
    )  # fmt: skip
    found = stage.rows("select test_code from order_test where order_id = %(key)s order by id", key=row["id"])
    tests = [test["test_code"] for test in found]
    if not tests:
        raise Nobody
    return row, tests
