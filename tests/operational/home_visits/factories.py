"""Home calls for tests, made by the service."""

from __future__ import annotations

from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from kmis.clock import FixedClock
from operational.domains.home_visits.models import HomeCall
from operational.domains.home_visits.schemas import RegisterCall
from operational.domains.home_visits.service import HomeCalls
from operational.domains.patients import attaching
from operational.domains.patients.models import Patient
from operational.domains.patients.schemas import AttachmentIn
from tests.operational.patients.builders import TODAY, registered
from tests.operational.stage import NOW

ZONE = ZoneInfo("Asia/Oral")
CLOCK = FixedClock(NOW)


def calls_of(session: Session) -> HomeCalls:
    """The service at the stage's moment: Tuesday, 14:00."""
    return HomeCalls(session, CLOCK, ZONE)


def create_attached(session: Session, site_id: int, **values: Any) -> Patient:
    """A person of the site, with an address and a telephone."""
    row = {"address": "Қазталов, Абай көшесі 5", "phone": "+77011234567"} | values
    patient = registered(session, **row)
    form = AttachmentIn(site_id=site_id, valid_from=date(2026, 1, 1), reason="тұрғылықты жері")
    attaching.attach(session, patient.id, form, TODAY)
    return patient


def create_call(session: Session, patient: Patient, **values: Any) -> HomeCall:
    """A routine call of the patient, taken now."""
    row: dict[str, Any] = {"patient_id": patient.id, "complaint": "Дене қызуы 38, жөтел"}
    return calls_of(session).register(RegisterCall(**(row | values)))
