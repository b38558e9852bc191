"""Each route of the whole application names a permission or is marked public."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute, Mount

from kmis.settings import Settings
from operational.app import create_app
from operational.domains.identity.permissions import ALL_PERMISSIONS
from operational.web.access import PermissionCheck, is_public

PUBLIC = {"/sign-in", "/api/sign-in", "/language", "/healthz"}
FRAMEWORK = {"/api/openapi.json"}


def api_routes(routes: Iterable[BaseRoute]) -> Iterator[APIRoute]:
    """Routes of the application and of every router included in it."""
    for route in routes:
        if isinstance(route, APIRoute):
            yield route
        elif (inner := getattr(route, "original_router", None)) is not None:
            yield from api_routes(inner.routes)
        elif not isinstance(route, Mount):
            assert getattr(route, "path", None) in FRAMEWORK, route


def checks(dependant: Dependant) -> Iterator[PermissionCheck]:
    for inner in dependant.dependencies:
        if isinstance(inner.call, PermissionCheck):
            yield inner.call
        yield from checks(inner)


def test_every_route_has_a_permission(settings: Settings) -> None:
    app = create_app(settings)
    routes = list(api_routes(app.routes))
    assert len(routes) > 20
    open_routes = {route.path for route in routes if is_public(route.endpoint)}
    assert {path for path in open_routes} <= PUBLIC
    unguarded = {route.path for route in routes if not is_public(route.endpoint) and not any(checks(route.dependant))}
    assert not unguarded
    asked = {check.permission for route in routes for check in checks(route.dependant)} - {None}
    assert asked <= ALL_PERMISSIONS, asked - ALL_PERMISSIONS


def test_navigation_asks_for_known_permissions(settings: Settings) -> None:
    registry = create_app(settings).state.registry
    assert registry.nav
    asked = {item.permission for item in [*registry.nav, *registry.tiles]} - {None}
    assert asked <= ALL_PERMISSIONS, asked - ALL_PERMISSIONS
    shortcuts = [item.shortcut for item in registry.nav if item.shortcut]
    assert len(shortcuts) == len(set(shortcuts))
