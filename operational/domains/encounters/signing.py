"""The canonical form of a visit and its signature.

The signature of this release is the confirmation of the signed-in user, bound to the SHA-256 of the canonical
form; the certificate-based signature replaces ``METHOD`` and signs the same bytes.
"""

from __future__ import annotations

import hashlib
import json
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy.orm import Session

from operational.domains.encounters import repository
from operational.domains.encounters.models import Encounter, SignedDocument
from operational.kit.access import scope_of
from operational.kit.errors import NotFound

METHOD = "session-confirmation"
TEXT_FIELDS = ("complaints", "anamnesis", "objective", "plan")
CODE_FIELDS = ("place", "visit_reason", "visit_kind", "financing_source", "insurance_status", "outcome")


def canonical_form(session: Session, visit: Encounter, identity: dict[str, Any]) -> str:
    """The visit as JSON with sorted keys and no white space: the bytes that are signed (UTF-8)."""
    content = {
        "encounter": visit.id,
        "version": visit.version,
        "owner_organisation": visit.owner_organisation_id,
        "practitioner": visit.practitioner_id,
        "patient": identity,
        "started_at": visit.started_at,
        "ended_at": visit.ended_at,
        **{name: getattr(visit, name) for name in (*CODE_FIELDS, *TEXT_FIELDS)},
        "conditions": [
            {
                "icd10": row.icd10_code, "rank": row.rank, "verification": row.verification,
                "character": row.character, "first_in_life": row.first_in_life_flag, "injury": row.injury_type,
            }
            for row, _ in repository.conditions(session, visit.id)
        ],
        "procedures": [
            {"service": row.service_code, "quantity": row.quantity, "tariff_kzt": row.tariff_kzt}
            for row, _ in repository.procedures(session, visit.id)
        ],
        "referrals": [
            {"number": row.number, "kind": row.kind, "service": row.service_code, "status": row.status}
            for row, _ in repository.referrals(session, visit.id)
        ],
    }  # fmt: skip
    return json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=_plain)


def _plain(value: Any) -> str:
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return f"{value:.2f}"
    raise TypeError(f"{type(value).__name__} has no canonical form")


def digest_of(canonical: str) -> str:
    """SHA-256 of the canonical form, in hexadecimal."""
    return hashlib.sha256(canonical.encode()).hexdigest()


def sign(session: Session, visit: Encounter, at: datetime) -> SignedDocument:
    """Keep the visit as it is signed now, with the identity that the patient has now."""
    patient = repository.patient(session, visit.patient_id)
    user_id = scope_of(session).user_id
    if patient is None or user_id is None:
        raise NotFound()
    identity = {
        "patient": patient.id,
        "patient_no": patient.patient_no,
        "iin": patient.iin,
        "surname": patient.surname,
        "given_name": patient.given_name,
        "patronymic": patient.patronymic,
        "birth_date": patient.birth_date.isoformat() if patient.birth_date else None,
        "sex": patient.sex,
    }
    canonical = canonical_form(session, visit, identity)
    document = SignedDocument(
        owner_organisation_id=visit.owner_organisation_id, encounter_id=visit.id, patient_id=patient.id,
        version=visit.version, patient_snapshot=identity, canonical=canonical, digest=digest_of(canonical),
        signed_at=at, signed_by=user_id, method=METHOD,
    )  # fmt: skip
    session.add(document)
    session.flush()
    return document


def unaltered(document: SignedDocument) -> bool:
    """Whether the stored document still is what was signed."""
    return digest_of(document.canonical) == document.digest
