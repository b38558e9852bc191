"""Refusals of the organisation domain; constraints of the database have a class of their own each."""

from __future__ import annotations

from typing import Final

from sqlalchemy.exc import IntegrityError

from operational.kit.errors import BusinessError, Conflict, constraint_of


class PeriodReversed(BusinessError):
    """A validity that would end on or before the day it begins."""

    message_key = "organisation.error.period"
    field = "valid_from"


class PositionTaken(Conflict):
    """The practitioner holds this position in the department at that time already."""

    message_key = "organisation.error.position_taken"
    field = "department_id"


class SiteTaken(Conflict):
    """Somebody answers for the site at that time already."""

    message_key = "organisation.error.site_taken"
    field = "valid_from"


class VersionOverlaps(Conflict):
    """A later name or place in the tree of the organisation stands already."""

    message_key = "organisation.error.version"
    field = "valid_from"


class CodeTaken(Conflict):
    """Another department, site or room of the organisation has the code."""

    message_key = "organisation.error.code_taken"
    field = "code"


class NotOfThisOrganisation(BusinessError):
    """The department or the practitioner does not belong to the organisation."""

    message_key = "organisation.error.other_organisation"
    field = "department_id"


class UnknownCode(BusinessError):
    """A code that its directory does not have, or no longer has."""

    message_key = "organisation.error.unknown_code"


class RoleEnded(Conflict):
    """The position has ended already; only one that still holds is moved."""

    message_key = "organisation.error.role_ended"


REFUSALS: Final[dict[str, type[BusinessError]]] = {
    "ex_practitioner_role_period": PositionTaken,
    "ex_site_assignment_period": SiteTaken,
    "ex_organisation_version_period": VersionOverlaps,
    "uq_department_organisation_id_code": CodeTaken,
    "uq_site_organisation_id_code": CodeTaken,
    "uq_room_organisation_id_code": CodeTaken,
    "ck_practitioner_role_validity": PeriodReversed,
    "ck_site_assignment_validity": PeriodReversed,
    "ck_organisation_version_validity": PeriodReversed,
}


def refusal_of(error: IntegrityError) -> BusinessError | None:
    """The refusal that a constraint stands for; None for a constraint that no user can meet."""
    found = REFUSALS.get(constraint_of(error))
    return found() if found else None
