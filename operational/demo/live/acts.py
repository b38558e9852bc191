"""Every kind of act with its weight: the mix of a clinic's day stands in ``data/live_acts.csv``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import Random
from typing import Final

from operational.demo.live import diagnostics, maternity, polyclinic, ward
from operational.demo.live.stage import Stage
from operational.demo.people import rows

Act = Callable[[Stage], None]
ACTS: Final[Mapping[str, Act]] = {
    "visit": polyclinic.visit,
    "visit_corrected": polyclinic.correct_visit,
    "visit_voided": polyclinic.void_visit,
    "booking": polyclinic.book,
    "booking_cancelled": polyclinic.cancel_booking,
    "schedule": polyclinic.open_schedule,
    "patient": polyclinic.register,
    "patient_corrected": polyclinic.correct_patient,
    "home_call": polyclinic.call_home,
    "home_call_performed": polyclinic.perform_call,
    "home_call_cancelled": polyclinic.cancel_call,
    "death": polyclinic.die,
    "signal_seen": polyclinic.see_signal,
    "signal_contacted": polyclinic.contact,
    "signal_closed": polyclinic.close_signal,
    "order_of_tests": diagnostics.order_tests,
    "order_cancelled": diagnostics.cancel_order,
    "results_by_device": diagnostics.send_results,
    "results_by_hand": diagnostics.write_results,
    "results_voided": diagnostics.void_results,
    "order_of_pictures": diagnostics.order_pictures,
    "pictures": diagnostics.send_pictures,
    "pictures_described": diagnostics.describe,
    "admission": ward.admit,
    "presentation_refused": ward.refuse,
    "movement": ward.move,
    "measurement": ward.measure,
    "measurement_voided": ward.void_part,
    "diagnosis": ward.diagnose,
    "operation": ward.operate,
    "transfusion": ward.transfuse,
    "discharge": ward.discharge,
    "discharge_corrected": ward.correct_discharge,
    "pregnancy": maternity.register,
    "antenatal_visit": maternity.hold_visit,
    "birth": maternity.deliver,
}


class Mix:
    """Draws kinds of acts by their weights."""

    def __init__(self) -> None:
        found = {row["act"]: float(row["weight"]) for row in rows("live_acts.csv")}
        self.kinds = tuple(found)
        self._weights = tuple(found.values())

    def draw(self, rng: Random) -> str:
        """One kind."""
        return rng.choices(self.kinds, self._weights)[0]
