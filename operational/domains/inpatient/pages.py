"""Screens of the hospital, each subject in a module of its own; what they put into menu and home page."""

from __future__ import annotations

from fastapi import APIRouter
from sqlalchemy.orm import Session

from operational.domains.inpatient import (
    pages_admission,
    pages_decision,
    pages_discharge,
    pages_parts,
    pages_stay,
    pages_wards,
)
from operational.domains.inpatient.wards import repository as wards
from operational.web.nav import NavItem, Tile
from operational.web.viewer import Viewer

router = APIRouter(include_in_schema=False)
for part in (pages_admission, pages_decision, pages_wards, pages_stay, pages_parts, pages_discharge):
    router.include_router(part.router)


def _waiting(db: Session, viewer: Viewer) -> int:
    """Those who wait in the admission departments."""
    return wards.count_waiting(db, viewer.organisation_ids)


NAV = [
    NavItem("inpatient.nav_admission", "/admission", "inpatient.admit", icon="user-add", order=50, shortcut="e"),
    NavItem("inpatient.nav_wards", "/wards", "inpatient.read", icon="building", order=51, shortcut="w"),
]
TILES = [
    Tile(
        "inpatient.nav_admission", "/admission", "inpatient.admit", icon="user-add", order=15,
        hint_key="inpatient.tile_admission", count=_waiting,
    ),
    Tile(
        "inpatient.nav_wards", "/wards", "inpatient.read", icon="building", order=16, hint_key="inpatient.tile_wards"
    ),
]  # fmt: skip
