"""Composition of the operational front end: the domains' routers, the shell around them, the analytical pages."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import ModuleType

import uvicorn
from fastapi import FastAPI

from kmis.clock import Clock, SystemClock
from kmis.settings import Settings, get_settings
from operational import handlers
from operational.kit.db import dispose_engines

DOMAINS = (
    "identity", "organisation", "catalogs", "patients", "scheduling", "encounters", "orders", "inpatient", "maternity",
    "home_visits", "monitoring",
)  # fmt: skip
SHELL_PARTS = ("operational.web.drafts", "operational.web.health")


def modules(name: str) -> list[ModuleType]:
    """The module ``name`` of every domain that has one."""
    found = (f"operational.domains.{domain}.{name}" for domain in DOMAINS)
    return [importlib.import_module(path) for path in found if importlib.util.find_spec(path)]


def create_app(settings: Settings | None = None, clock: Clock | None = None) -> FastAPI:
    """The application: screens for the staff, and the same services as an API under ``/api``."""
    from operational.domains.identity.middleware import SessionMiddleware
    from operational.web.setup import install

    settings = settings or get_settings()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        yield
        service = getattr(app.state, "query", None)
        if service is not None:
            service.close()
        dispose_engines()

    app = FastAPI(title="KMIS", docs_url=None, redoc_url=None, openapi_url="/api/openapi.json", lifespan=lifespan)
    app.state.clock = clock or SystemClock()
    handlers.install()
    for module in modules("timeline"):
        module.register()
    parts = [importlib.import_module(path) for path in SHELL_PARTS]
    pages = modules("pages") + parts
    app.add_middleware(SessionMiddleware, settings=settings)
    install(app, settings, pages=pages)
    for module in modules("api") + pages:
        app.include_router(module.router)
    return app


def main() -> None:
    """Serve on the port of the settings."""
    settings = get_settings()
    uvicorn.run(
        create_app(settings), host=settings.host, port=settings.port, access_log=False, log_level="warning",
        timeout_graceful_shutdown=5,
    )  # fmt: skip


if __name__ == "__main__":
    main()
