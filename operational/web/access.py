"""Permissions as dependencies: every route names the one it needs, or is marked public."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from fastapi import Depends, Request

from operational.kit.errors import BusinessError, Forbidden
from operational.web.viewer import Viewer, viewer_of

Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])
PASSWORD_PAGES = frozenset({"/account", "/account/password"})


class NotSignedIn(BusinessError):
    """Nobody is signed in: pages lead to the sign-in form, the API answers 401."""

    message_key = "access.error.not_signed_in"
    status = 401


class PasswordMustChange(BusinessError):
    """The password was given by somebody else and has to be changed first."""

    message_key = "access.error.must_change"
    status = 403


class PermissionCheck:
    """Gives the viewer when the permission is held. Raises NotSignedIn, Forbidden or PasswordMustChange."""

    def __init__(self, permission: str | None) -> None:
        self.permission = permission

    def __call__(self, request: Request) -> Viewer:
        """The viewer of the request."""
        viewer = viewer_of(request)
        if viewer is None:
            raise NotSignedIn
        if viewer.must_change_password and request.url.path not in PASSWORD_PAGES:
            raise PasswordMustChange
        if not viewer.can(self.permission):
            raise Forbidden
        return viewer


def require(permission: str | None) -> Any:
    """The dependency that lets in holders of the permission; None lets in everyone who is signed in."""
    return Depends(PermissionCheck(permission))


def public(endpoint: Endpoint) -> Endpoint:
    """Mark a route that needs no signed-in user (the walk over all routes looks for this mark)."""
    endpoint.__dict__["public"] = True
    return endpoint


def is_public(endpoint: Callable[..., Any]) -> bool:
    """Whether the route is marked so."""
    return bool(getattr(endpoint, "public", False))
