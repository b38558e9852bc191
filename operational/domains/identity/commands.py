"""What the command line does for identity: roles of the data file, users from outside the screens."""

from __future__ import annotations

from sqlalchemy.orm import Session

from kmis.settings import Settings
from operational.domains.identity import repository, service
from operational.domains.identity.models import Role
from operational.domains.identity.roles import role_definitions
from operational.kit.access import Scope
from operational.kit.db import transaction
from operational.kit.errors import NotFound


def ensure_roles(settings: Settings) -> None:
    """Bring the role table to what `roles.yml` says; roles made by an administrator stay."""
    with transaction(settings, Scope.nobody()) as session:
        write_roles(session)


def write_roles(session: Session) -> None:
    """The same within a session that the caller commits."""
    for definition in role_definitions().values():
        role = repository.role_by_code(session, definition.code)
        if role is None:
            role = Role(code=definition.code)
            session.add(role)
        role.name_kk, role.name_ru = definition.name_kk, definition.name_ru
        role.permissions = list(definition.permissions)
    session.flush()


def add_user(
    settings: Settings,
    login: str,
    display_name: str,
    role: str,
    organisation_id: int,
    *,
    password: str | None = None,
    practitioner_id: int | None = None,
    language: str = "kk",
) -> tuple[int, str]:
    """`kmis user add`: the user's key and the password to hand over.

    Raises BusinessError (LoginTaken, UnknownRole).
    """
    with transaction(settings, Scope.nobody()) as session:
        write_roles(session)
        user, handed = service.create_user(
            session, login=login, display_name=display_name, role=role, organisation_id=organisation_id,
            allowed=None, password=password, practitioner_id=practitioner_id, language=language,
        )  # fmt: skip
        return user.id, handed


def organisation_by_code(settings: Settings, code: str) -> int:
    """The key of an organisation. Raises NotFound."""
    with transaction(settings, Scope.nobody()) as session:
        key = repository.organisation_key(session, code)
        if key is None:
            raise NotFound("organisation")
        return key
