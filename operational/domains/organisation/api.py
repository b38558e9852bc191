"""Organisations, departments, sites and staff for programs."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict

from operational.domains.organisation import repository, service
from operational.domains.organisation.pages import today_of
from operational.domains.organisation.permissions import CanManage, CanRead
from operational.domains.organisation.schemas import (
    AssignSite,
    MoveStaff,
    NewDepartment,
    NewSite,
    NewStaff,
    Rename,
)
from operational.web.database import Db

router = APIRouter(prefix="/api/organisations", tags=["organisations"])


class Out(BaseModel):
    """Read from a row."""

    model_config = ConfigDict(from_attributes=True)


class OrganisationOut(Out):
    """An organisation with its name of a day."""

    id: int
    code: str
    kind: str
    parent_id: int | None
    name_kk: str
    name_ru: str
    kato_code: str | None


class UnitOut(Out):
    """A department or a site."""

    id: int
    organisation_id: int
    code: str
    kind: str
    name_kk: str
    name_ru: str
    valid_from: date
    valid_to: date | None


class RoleOut(Out):
    """A position."""

    id: int
    practitioner_id: int
    organisation_id: int
    department_id: int
    specialty_code: str
    position_code: str
    valid_from: date
    valid_to: date | None


class StaffOut(RoleOut):
    """A position with the name of its holder."""

    full_name: str


class AssignmentOut(Out):
    """Who answers for a site during a time."""

    id: int
    site_id: int
    practitioner_id: int
    duty: str
    valid_from: date
    valid_to: date | None


class CreatedOut(Out):
    """The key of what was made."""

    id: int


@router.get("")
def organisations(request: Request, viewer: CanRead, db: Db, on: date | None = None) -> list[OrganisationOut]:
    """The organisations of the scope as they stand on a day (today)."""
    branches = service.tree(db, on or today_of(request))
    return [OrganisationOut.model_validate(branch.organisation) for branch in branches]


@router.get("/{organisation_id}/departments")
def departments(organisation_id: int, request: Request, viewer: CanRead, db: Db) -> list[UnitOut]:
    """Departments of today."""
    service.organisation(db, organisation_id, today_of(request))
    rows = repository.departments(db, organisation_id, today_of(request))
    return [UnitOut.model_validate(row) for row in rows]


@router.get("/{organisation_id}/sites")
def sites(organisation_id: int, request: Request, viewer: CanRead, db: Db) -> list[UnitOut]:
    """Sites of today."""
    service.organisation(db, organisation_id, today_of(request))
    return [UnitOut.model_validate(row.site) for row in repository.sites(db, organisation_id, today_of(request))]


@router.get("/{organisation_id}/staff")
def staff(
    organisation_id: int, request: Request, viewer: CanRead, db: Db, on: date | None = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100, offset: Annotated[int, Query(ge=0)] = 0,
) -> list[StaffOut]:  # fmt: skip
    """Who holds a position on a day (today), in the Kazakh order of names."""
    rows = service.find_staff(db, organisation_id, on or today_of(request), "")[offset : offset + limit]
    return [StaffOut(full_name=row.full_name, **RoleOut.model_validate(row.role).model_dump()) for row in rows]


@router.post("/{organisation_id}/staff", status_code=201)
def add_staff(organisation_id: int, new: NewStaff, request: Request, viewer: CanManage, db: Db) -> RoleOut:
    """A new person of the staff with a position."""
    return RoleOut.model_validate(service.add_staff(db, organisation_id, new, today_of(request)))


@router.post("/{organisation_id}/departments", status_code=201)
def add_department(organisation_id: int, new: NewDepartment, request: Request, viewer: CanManage, db: Db) -> CreatedOut:
    """A new department."""
    return CreatedOut.model_validate(service.add_department(db, organisation_id, new, today_of(request)))


@router.post("/{organisation_id}/sites", status_code=201)
def add_site(organisation_id: int, new: NewSite, request: Request, viewer: CanManage, db: Db) -> CreatedOut:
    """A new site."""
    return CreatedOut.model_validate(service.add_site(db, organisation_id, new, today_of(request)))


@router.post("/{organisation_id}/names", status_code=201)
def rename(organisation_id: int, wanted: Rename, request: Request, viewer: CanManage, db: Db) -> CreatedOut:
    """Another name of the organisation from a day on."""
    return CreatedOut.model_validate(service.rename(db, organisation_id, wanted, today_of(request)))


@router.post("/roles/{role_id}/move", status_code=201)
def move_staff(role_id: int, move: MoveStaff, viewer: CanManage, db: Db) -> RoleOut:
    """End a position and begin the next one."""
    return RoleOut.model_validate(service.move_staff(db, role_id, move))


@router.post("/sites/{site_id}/assignments", status_code=201)
def assign_site(site_id: int, wanted: AssignSite, viewer: CanManage, db: Db) -> AssignmentOut:
    """Let somebody answer for a site from a day on."""
    return AssignmentOut.model_validate(service.assign_site(db, site_id, wanted))
