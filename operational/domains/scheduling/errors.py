"""Refusals of schedules and bookings."""

from __future__ import annotations

from operational.kit.errors import BusinessError, Conflict


class ScheduleEndsBeforeStart(BusinessError):
    """A schedule ends after it begins, on the same day."""

    message_key = "scheduling.error.times"
    field = "end_time"


class SchedulePastDay(BusinessError):
    """A schedule is made for today or later."""

    message_key = "scheduling.error.past_day"
    field = "date_from"


class PeriodReversed(BusinessError):
    """The last day lies before the first."""

    message_key = "scheduling.error.period"
    field = "date_to"


class PeriodTooLong(BusinessError):
    """A schedule is made for a year at most."""

    message_key = "scheduling.error.period_long"
    field = "date_to"


class PractitionerBusy(Conflict):
    """The practitioner has another schedule at this time."""

    message_key = "scheduling.error.practitioner_busy"
    field = "start_time"


class RoomBusy(Conflict):
    """The room is taken at this time."""

    message_key = "scheduling.error.room_busy"
    field = "room_id"


class NoRole(BusinessError):
    """The practitioner has no position here on that day."""

    message_key = "scheduling.error.no_role"
    field = "practitioner_role_id"


class SlotAlreadyTaken(Conflict):
    """Somebody was faster, or the slot is blocked."""

    message_key = "scheduling.error.slot_taken"
    field = "slot_id"


class SlotPassed(BusinessError):
    """The slot has already begun long ago."""

    message_key = "scheduling.error.slot_passed"
    field = "slot_id"


class PatientBusy(Conflict):
    """The patient has another booking at this time."""

    message_key = "scheduling.error.patient_busy"
    field = "patient_id"


class BookingClosed(Conflict):
    """The booking is already fulfilled or cancelled."""

    message_key = "scheduling.error.closed"


class CancelReasonNeeded(BusinessError):
    """A booking is cancelled with a reason of the directory."""

    message_key = "scheduling.error.cancel_reason"
    field = "cancel_reason"


class SlotHasBookings(Conflict):
    """A slot with bookings is not blocked; rebook the people first."""

    message_key = "scheduling.error.has_bookings"


class PatientDied(BusinessError):
    """Nobody is booked after the death."""

    message_key = "scheduling.error.patient_died"
    field = "patient_id"


class UnknownCode(BusinessError):
    """A chosen value does not stand in its directory."""

    message_key = "scheduling.error.unknown_code"
