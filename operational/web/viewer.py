"""Who looks at the screen: the signed-in session that pages, navigation and access need."""

from __future__ import annotations

from dataclasses import dataclass, fields

from fastapi import Request

from kmis.session import SessionInfo
from operational.kit.access import Scope


@dataclass(frozen=True, slots=True)
class Viewer(SessionInfo):
    """A signed-in user. `organisation_ids` are the organisations of the roles and all below them."""

    @classmethod
    def of(cls, info: SessionInfo) -> Viewer:
        """The viewer of a live session."""
        return cls(**{field.name: getattr(info, field.name) for field in fields(SessionInfo)})

    @property
    def scope(self) -> Scope:
        """What the database session is opened with."""
        return Scope(
            user_id=self.user_id,
            organisation_ids=self.organisation_ids,
            permissions=self.permissions,
            login=self.login,
            display_name=self.display_name,
            language=self.language,
            practitioner_id=self.practitioner_id,
            home_organisation_id=self.home_organisation_id,
        )

    def can(self, permission: str | None) -> bool:
        """Whether the permission is held; None stands for "every signed-in user"."""
        return permission is None or permission in self.permissions


def viewer_of(request: Request) -> Viewer | None:
    """The signed-in user of this request, or None; set by the session middleware of identity."""
    viewer = getattr(request.state, "viewer", None)
    return viewer if isinstance(viewer, Viewer) else None
