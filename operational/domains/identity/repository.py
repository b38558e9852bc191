"""Queries of identity: users, roles, sessions. None of these rows is patient data."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func, or_, select, text, update
from sqlalchemy.orm import Session

from operational.domains.identity.models import AppUser, AuditEvent, Role, UserRole, UserSession

SORTS = ("display_name", "login", "active", "last_seen")
# Names of organisations stand a tier above; identity reads them by table, not by import.
ORGANISATIONS = text(
    "select v.organisation_id as id, v.name_kk, v.name_ru from organisation_version as v"
    " where v.organisation_id = any(:ids) and v.valid_from <= current_date"
    " and (v.valid_to is null or v.valid_to > current_date) order by v.name_ru"
)


@dataclass(frozen=True, slots=True)
class UserRow:
    """A user as the list shows them; `roles` are pairs of names kk and ru."""

    id: int
    login: str
    display_name: str
    active: bool
    last_seen: datetime | None
    roles: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class OrganisationName:
    """An organisation to choose."""

    id: int
    name_kk: str
    name_ru: str


def user_by_login(session: Session, login: str, *, lock: bool = False) -> AppUser | None:
    """The user of the login, whatever its case."""
    query = select(AppUser).where(func.lower(AppUser.login) == login.strip().lower())
    return session.scalars(query.with_for_update() if lock else query).one_or_none()


def user_by_id(session: Session, user_id: int) -> AppUser | None:
    """The user of the key."""
    return session.get(AppUser, user_id)


def roles(session: Session) -> Sequence[Role]:
    """All roles."""
    return session.scalars(select(Role).order_by(Role.id)).all()


def role_by_code(session: Session, code: str) -> Role | None:
    """The role of the code."""
    return session.scalars(select(Role).where(Role.code == code)).one_or_none()


def roles_of(session: Session, user_id: int) -> Sequence[tuple[Role, int]]:
    """The user's roles, each with the organisation it holds in."""
    query = select(Role, UserRole.organisation_id).join(UserRole, UserRole.role_id == Role.id)
    return [(role, key) for role, key in session.execute(query.where(UserRole.user_id == user_id)).all()]


def in_scope(organisation_ids: Iterable[int]) -> ColumnElement[bool]:
    """Users with a role in one of the organisations."""
    keys = list(organisation_ids)
    return AppUser.id.in_(select(UserRole.user_id).where(UserRole.organisation_id.in_(keys)))


def users(
    session: Session, scope: Iterable[int], query: str, sort: str, descending: bool, offset: int, size: int
) -> tuple[list[UserRow], int]:
    """A page of the users that have a role in the scope, and how many match in all."""
    last_seen = select(func.max(UserSession.last_seen_at)).where(UserSession.user_id == AppUser.id).scalar_subquery()
    condition = in_scope(scope)
    if query:
        pattern = "%" + query.lower().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
        condition = condition & or_(
            func.lower(AppUser.login).like(pattern), func.lower(AppUser.display_name).like(pattern)
        )
    orders = {
        "display_name": func.lower(AppUser.display_name),
        "login": func.lower(AppUser.login),
        "active": AppUser.active,
        "last_seen": last_seen,
    }
    order = orders[sort].desc().nulls_last() if descending else orders[sort].asc().nulls_last()
    total = session.scalar(select(func.count()).select_from(AppUser).where(condition)) or 0
    found = session.execute(
        select(AppUser, last_seen).where(condition).order_by(order, AppUser.id).offset(offset).limit(size)
    ).all()
    named: dict[int, list[tuple[str, str]]] = {}
    links = select(UserRole.user_id, Role.name_kk, Role.name_ru).join(Role, Role.id == UserRole.role_id)
    for user_id, kk, ru in session.execute(
        links.where(UserRole.user_id.in_([user.id for user, _ in found])).distinct()
    ):
        named.setdefault(user_id, []).append((kk, ru))
    rows = [
        UserRow(user.id, user.login, user.display_name, user.active, seen, tuple(named.get(user.id, ())))
        for user, seen in found
    ]
    return rows, total


def user_in_scope(session: Session, user_id: int, scope: Iterable[int]) -> AppUser | None:
    """The user when they have a role in the scope."""
    return session.scalars(select(AppUser).where(AppUser.id == user_id, in_scope(scope))).one_or_none()


def organisations(session: Session, ids: Iterable[int]) -> list[OrganisationName]:
    """The names of the organisations as they stand today."""
    return [
        OrganisationName(row.id, row.name_kk, row.name_ru)
        for row in session.execute(ORGANISATIONS, {"ids": sorted(ids)})
    ]


def live_sessions(session: Session, user_id: int, now: datetime) -> Sequence[UserSession]:
    """Sessions that are neither revoked nor expired, newest first."""
    query = select(UserSession).where(
        UserSession.user_id == user_id, UserSession.revoked_at.is_(None), UserSession.expires_at > now
    )
    return session.scalars(query.order_by(UserSession.last_seen_at.desc())).all()


def revoke_sessions(
    session: Session, user_id: int, now: datetime, *, only: int | None = None, but: int | None = None
) -> int:
    """Revoke the user's live sessions (one, or all but one); how many."""
    statement = update(UserSession).where(UserSession.user_id == user_id, UserSession.revoked_at.is_(None))
    if only is not None:
        statement = statement.where(UserSession.id == only)
    if but is not None:
        statement = statement.where(UserSession.id != but)
    revoked = session.scalars(statement.values(revoked_at=now).returning(UserSession.id)).all()
    return len(revoked)


def recent_events(session: Session, user_id: int, limit: int) -> Sequence[AuditEvent]:
    """What the user did last, as the audit trail has it."""
    query = select(AuditEvent).where(AuditEvent.user_id == user_id).order_by(AuditEvent.id.desc())
    return session.scalars(query.limit(limit)).all()


def organisation_key(session: Session, code: str) -> int | None:
    """The key of an organisation by its code."""
    key: int | None = session.scalar(text("select id from organisation where code = :code"), {"code": code})
    return key
