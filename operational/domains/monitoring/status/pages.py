"""The status page: how the installation stands, what to do next, and what it is told from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from sqlalchemy.orm import Session
from starlette.responses import Response

from operational.domains.monitoring.permissions import CanRunPasses, CanSeeStatus
from operational.domains.monitoring.status import repository, service
from operational.domains.monitoring.status.facts import Facts, gather, moment
from operational.domains.monitoring.status.findings import Finding, findings_of, overall
from operational.domains.monitoring.status.repository import Owed
from operational.domains.monitoring.status.views import age_text, bytes_text, duration_text, models_of
from operational.kit.errors import NotFound
from operational.kit.models import LakePass
from operational.web.database import Db
from operational.web.flash import Flash
from operational.web.forms import Form
from operational.web.language import language_of
from operational.web.listing import Column, ListPage, ListQuery
from operational.web.nav import NavItem, Tile
from operational.web.shell import render, see_other

router = APIRouter(include_in_schema=False)
PASS_COLUMNS = (
    Column("status.number"),
    Column("status.kind", "kind"),
    Column("status.state", "state"),
    Column("status.started", "started_at"),
    Column("status.duration", "took", numeric=True),
    Column("status.rows", "feed_rows", numeric=True),
    Column("status.models", "models", numeric=True),
    Column("status.error_text", narrow=True),
)
OWED_COLUMNS = (
    Column("status.number"),
    Column("status.topic", "topic"),
    Column("status.partner", "partner"),
    Column("status.state", "status"),
    Column("status.created", "created_at"),
    Column("status.attempts", "attempts", numeric=True),
    Column("status.error_text", narrow=True),
)


@dataclass(frozen=True, slots=True)
class StatusPage:
    """Everything on the page."""

    facts: Facts
    findings: Sequence[Finding]
    overall: str
    kinds: Sequence[str]
    size: Callable[[float | None], str]
    age: Callable[[datetime | None], str]
    took: Callable[[datetime, datetime | None], str]
    moment_of: Callable[[object], datetime | None]


@dataclass(frozen=True, slots=True)
class PassPage:
    """One pass: seconds by step, rows by model, what else it noted."""

    row: LakePass
    seconds: Mapping[str, float]
    models: Mapping[str, int]
    rest: Mapping[str, Any]
    took: Callable[[datetime, datetime | None], str]


@dataclass(frozen=True, slots=True)
class PassesPage:
    """Every pass that is on record."""

    columns: Sequence[Column]
    page: ListPage[LakePass]
    kinds: Sequence[str]
    states: Sequence[str]
    took: Callable[[datetime, datetime | None], str]


@dataclass(frozen=True, slots=True)
class OutboxPage:
    """Messages that are owed."""

    columns: Sequence[Column]
    page: ListPage[Owed]
    states: Sequence[str]


def facts_of(request: Request, db: Session) -> Facts:
    """The facts at the application's clock."""
    return gather(db, request.app.state.clock.now(), request.app.state.settings.feed_keep_months)


@router.get("/status", response_class=HTMLResponse)
def show(request: Request, viewer: CanSeeStatus, db: Db) -> HTMLResponse:
    facts = facts_of(request, db)
    findings = findings_of(facts)
    language = language_of(request)
    page = StatusPage(
        facts=facts,
        findings=findings,
        overall=overall(findings),
        kinds=service.KINDS,
        size=lambda value: bytes_text(value, language),
        age=lambda at: age_text(facts.seconds_since(at), language),
        took=lambda started, finished: duration_text(started, finished, language),
        moment_of=moment,
    )
    return render(request, "monitoring/status.html", page, partial="monitoring/_status.html")


@router.get("/status/passes/{key:int}", response_class=HTMLResponse)
def one_pass(request: Request, viewer: CanSeeStatus, db: Db, key: int) -> HTMLResponse:
    row = repository.one_pass(db, key)
    if row is None:
        raise NotFound()
    language = language_of(request)
    shown = ("seconds", "models")
    page = PassPage(
        row=row,
        seconds=row.detail.get("seconds") or {},
        models=models_of(row.detail),
        rest={name: value for name, value in row.detail.items() if name not in shown and value not in ([], {}, None)},
        took=lambda started, finished: duration_text(started, finished, language),
    )
    return render(request, "monitoring/status_pass.html", page)


@router.get("/status/passes", response_class=HTMLResponse)
@router.post("/status/passes", response_class=HTMLResponse)
def pass_list(request: Request, viewer: CanSeeStatus, db: Db, query: ListQuery) -> HTMLResponse:
    asked = query.settled(repository.PASS_SORTS) if query.sort else replace(query, sort="started_at", descending=True)
    language = language_of(request)
    page = PassesPage(
        PASS_COLUMNS, ListPage(*repository.pass_list(db, asked), asked), repository.PASS_KINDS, repository.PASS_STATES,
        lambda started, finished: duration_text(started, finished, language),
    )  # fmt: skip
    return render(request, "monitoring/status_passes.html", page)


@router.get("/status/outbox", response_class=HTMLResponse)
@router.post("/status/outbox", response_class=HTMLResponse)
def outbox(request: Request, viewer: CanSeeStatus, db: Db, query: ListQuery) -> HTMLResponse:
    asked = query.settled(repository.OWED_SORTS)
    page = OutboxPage(OWED_COLUMNS, ListPage(*repository.owed(db, asked), asked), repository.OWED_STATES)
    return render(request, "monitoring/status_outbox.html", page)


@router.post("/status/ask")
def ask(request: Request, viewer: CanRunPasses, db: Db, form: Form) -> Response:
    service.ask(db, viewer, form.get("kind", ""))
    return see_other(request, "/status", Flash("status.asked", "info"))


NAV: list[Any] = [NavItem("status.nav", "/status", "status.read", icon="pipeline", order=90, shortcut="t")]
TILES: list[Any] = [Tile("status.nav", "/status", "status.read", icon="pipeline", order=4, hint_key="status.tile_hint")]
