"""The scope of an acting user, and the wall that refuses to read without one."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy import event
from sqlalchemy.orm import ORMExecuteState, Session

from operational.kit.base import PatientData


class ScopeRequired(RuntimeError):
    """Code asked the operational store for data without saying for whom."""


@dataclass(frozen=True)
class Scope:
    """Who acts, in which organisations, with which permissions, and why."""

    user_id: int | None
    organisation_ids: frozenset[int] = frozenset()
    permissions: frozenset[str] = frozenset()
    login: str = ""
    display_name: str = ""
    language: str = "kk"
    practitioner_id: int | None = None
    home_organisation_id: int | None = None
    reason: str | None = field(default=None, compare=False)

    @classmethod
    def nobody(cls) -> Scope:
        """The scope of a request before sign-in: it sees no patient row."""
        return cls(user_id=None)

    def may(self, permission: str) -> bool:
        return permission in self.permissions


def scope_of(session: Session) -> Scope:
    """The scope of a session. Raises ScopeRequired when there is none."""
    scope = session.info.get("scope")
    if not isinstance(scope, Scope):
        raise ScopeRequired("a session without a scope may not read or write")
    return scope


def install_wall(target: type[Session]) -> None:
    """Make every statement of ``target`` need a scope, and patient data an organisation in it."""

    @event.listens_for(target, "do_orm_execute")
    def _refuse_without_scope(state: ORMExecuteState) -> None:
        scope = scope_of(state.session)
        if scope.organisation_ids:
            return
        for mapper in state.all_mappers:
            if issubclass(mapper.class_, PatientData):
                raise ScopeRequired(f"reading {mapper.class_.__name__} needs an organisation in the scope")
