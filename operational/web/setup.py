"""Puts the shell around an application: middleware, static files, error pages, navigation."""

from __future__ import annotations

from collections.abc import Iterable
from types import ModuleType

from fastapi import FastAPI
from starlette.middleware.gzip import GZipMiddleware

from kmis.settings import Settings
from operational.web.assets import mount_static
from operational.web.csrf import CsrfMiddleware
from operational.web.headers import SecurityHeadersMiddleware
from operational.web.nav import Registry
from operational.web.problems import install_problem_handlers


def install(app: FastAPI, settings: Settings, pages: Iterable[ModuleType] = ()) -> None:
    """Install the shell. `pages` are the domains' `pages` modules; their NAV, TILES and PANELS are gathered.

    Call it before adding the session middleware of identity, which must run inside of these.
    """
    app.state.settings = settings
    app.state.registry = registry = Registry()
    for module in pages:
        registry.add(getattr(module, "NAV", ()), getattr(module, "TILES", ()), getattr(module, "PANELS", ()))
    install_problem_handlers(app)
    mount_static(app)
    # The last one added is the outermost.
    app.add_middleware(CsrfMiddleware)
    app.add_middleware(GZipMiddleware, minimum_size=600)
    app.add_middleware(SecurityHeadersMiddleware)
