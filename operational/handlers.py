"""Who hears what. The first table runs in the transaction of the event, because a critical signal may not wait for
anything; the second is owed through the outbox and runs in the worker.
"""

from __future__ import annotations

from operational.domains.monitoring.signals import closing, opening
from operational.events.encounters import VisitSigned, VisitVoided
from operational.events.home_visits import HomeCallDone
from operational.events.inpatient import StayChanged, StayDischarged, StayWithdrawn, TransfusionGiven, VitalSignsTaken
from operational.events.maternity import PregnancyVisitHeld
from operational.events.monitoring import SignalOpened
from operational.events.patients import DeathRegistered, DeathVoided
from operational.kit.events import Event, Handler, subscribe

IN_THE_TRANSACTION: dict[type[Event], tuple[Handler, ...]] = {
    StayChanged: (opening.of_stay,),
    StayDischarged: (opening.of_discharge,),
    StayWithdrawn: (opening.of_withdrawal,),
    VitalSignsTaken: (opening.of_vital_signs,),
    TransfusionGiven: (opening.of_transfusion,),
    DeathRegistered: (opening.of_death,),
    DeathVoided: (opening.of_voided_death,),
}
THROUGH_THE_OUTBOX: dict[type[Event], tuple[Handler, ...]] = {
    VisitSigned: (closing.of_visit,),
    VisitVoided: (closing.of_voided_visit,),
    HomeCallDone: (closing.of_home_call,),
    PregnancyVisitHeld: (closing.of_pregnancy_visit,),
    SignalOpened: (closing.of_opened,),
}


def install() -> None:
    """Connect the domains; the application and the worker call it at start."""
    subscribe(IN_THE_TRANSACTION, THROUGH_THE_OUTBOX)
