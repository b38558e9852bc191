"""Rendering of pages and fragments: `render(request, "patients/search.html", SearchPage(...))`.

The context is a dataclass whose fields become the names that the template uses.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.responses import Response

from operational.web import flash as flashes
from operational.web.environment import Frame, render_template
from operational.web.flash import Flash
from operational.web.language import language_of
from operational.web.nav import NavItem, Registry
from operational.web.texts import translate
from operational.web.viewer import viewer_of


@dataclass(frozen=True, slots=True)
class Option:
    """A choice offered by a picker: `value` is sent, `text` stays in the field, `note` explains."""

    value: str
    text: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class OptionsPage:
    """The answer of a picker's address."""

    options: Sequence[Option]


@dataclass(frozen=True, slots=True)
class EmptyPage:
    """A page that needs nothing but the shell."""


def is_htmx(request: Request) -> bool:
    """Whether htmx asked, so that a fragment is the answer."""
    return request.headers.get("hx-request") == "true" and "hx-boosted" not in request.headers


def render(
    request: Request, template: str, context: Any, status: int = 200, *, partial: str | None = None
) -> HTMLResponse:
    """The page as HTML.

    With `partial`, htmx requests get that fragment (`_name.html`) with the same context.
    """
    settings = getattr(request.app.state, "settings", None)
    viewer = viewer_of(request)
    frame = Frame(request, viewer, language_of(request), getattr(settings, "timezone", "Asia/Oral"))
    fragment = is_htmx(request) and partial is not None
    values: dict[str, Any] = {f.name: getattr(context, f.name) for f in fields(context)}
    waiting = None if fragment else flashes.read_flash(request)
    registry = getattr(request.app.state, "registry", None) or Registry()
    values["shell"] = {
        "nav": registry.nav_for(viewer),
        "flash": waiting,
        "neighbours": _neighbours(request) if viewer and not fragment else [],
    }
    chosen = partial if fragment and partial else template
    response = HTMLResponse(render_template(frame, chosen, values), status_code=status)
    if waiting is not None and "/_" not in f"/{chosen}":
        response.delete_cookie(flashes.COOKIE, path="/")
    response.headers["Vary"] = "HX-Request"
    return response


def _neighbours(request: Request) -> list[NavItem]:
    """Entries of the parts on other ports of the same host name, so that the session cookie reaches them."""
    viewer, settings = viewer_of(request), request.app.state.settings
    base = f"{request.url.scheme}://{request.url.hostname}"
    items = [
        NavItem("shell.dashboards", f"{base}:{settings.dashboards_port}/", "analytics.read", "chart", new_tab=True),
        NavItem("shell.dagster", f"{base}:{settings.dagster_port}/", "pipelines.read", "pipeline", new_tab=True),
    ]
    return [item for item in items if viewer and viewer.can(item.permission)]


def render_options(request: Request, options: Sequence[Option]) -> HTMLResponse:
    """The choices of a picker (`form.picker`) for what was typed so far."""
    return render(request, "components/_options.html", OptionsPage(options))


def see_other(request: Request, url: str, message: Flash | None = None) -> Response:
    """After a successful form: go to the page, showing the message there. Works for htmx and plain forms."""
    response: Response
    if is_htmx(request):
        response = Response(status_code=204, headers={"HX-Redirect": url})
    else:
        response = RedirectResponse(url, status_code=303)
    if message is not None:
        flashes.flash(response, message)
    return response


def toast(request: Request, response: Response, message: Flash) -> Response:
    """Show a message beside an htmx answer, without a page change."""
    detail = {
        "text": translate(language_of(request), message.text_key, **message.params),
        "tone": message.tone,
        "undo": message.undo_url,
    }
    response.headers["HX-Trigger"] = json.dumps({"kmis:toast": detail})
    return response


def rerender_on_error(request: Request, template: str, context: Any) -> None:
    """Name the form page that shows a refusal of this request.

    The context dataclass has `errors: dict[str, str]`. When the handler then raises a BusinessError, its
    transaction is rolled back and the page is shown again with the message at the field.
    """
    session = getattr(request.state, "session", None)
    if session is not None:
        # A failed flush makes every record of the session stale; the page keeps what it has read.
        session.expunge_all()
    request.state.form_page = (template, context)


def form_page_with(request: Request, errors: dict[str, str], status: int) -> HTMLResponse | None:
    """The page named by `rerender_on_error` with the messages at its fields; None when none was named."""
    named = getattr(request.state, "form_page", None)
    if named is None:
        return None
    template, context = named
    return render(request, template, replace(context, errors=errors), status)
