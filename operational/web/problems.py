"""What a refusal looks like: for a person a page or the form again, for a program problem+json (RFC 9457)."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import psycopg
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse
from sqlalchemy.exc import OperationalError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from operational.kit.errors import BusinessError, FieldErrors
from operational.web.access import PasswordMustChange
from operational.web.flash import Flash
from operational.web.headers import HEADERS
from operational.web.language import language_of
from operational.web.shell import form_page_with, is_htmx, render, see_other, toast
from operational.web.texts import has_text, translate

log = logging.getLogger(__name__)
FORM_FIELD = ""  # a refusal that belongs to the form as a whole
RETRY_AFTER_SECONDS = "10"  # a database that was killed is up again within ten seconds


@dataclass(frozen=True, slots=True)
class ErrorPage:
    """A refusal as a page: status code, a heading and what the reader can do."""

    status: int
    title: str
    message: str


def is_api(request: Request) -> bool:
    """Whether a program asks."""
    return request.url.path.startswith("/api/")


def _title(language: str, status: int) -> str:
    key = f"error.title.{status}"
    return translate(language, key if has_text(key) else "error.title.other")


def respond(request: Request, status: int, message: str, field: str | None, errors: dict[str, str]) -> Response:
    """The refusal in the form that suits who asks."""
    language = language_of(request)
    if is_api(request):
        body: dict[str, Any] = {
            "type": "about:blank", "title": _title(language, status), "status": status, "detail": message,
        }  # fmt: skip
        if field:
            body["field"] = field
        if errors:
            body["errors"] = errors
        return JSONResponse(body, status, media_type="application/problem+json")
    if status == 401:
        return _to_sign_in(request)
    page = form_page_with(request, errors or {field or FORM_FIELD: message}, status)
    if page is not None:
        return page
    if is_htmx(request):
        empty = Response(status_code=status, headers={"HX-Reswap": "none"})
        return toast(request, empty, Flash("shell.toast.plain", "danger", {"message": message}))
    return render(request, "error.html", ErrorPage(status, _title(language, status), message), status)


def _to_sign_in(request: Request) -> Response:
    target = request.url.path if request.method == "GET" else "/"
    if request.method == "GET" and request.url.query:
        target += f"?{request.url.query}"
    url = "/sign-in" if target == "/" else f"/sign-in?next={quote(target)}"
    if is_htmx(request):
        return Response(status_code=401, headers={"HX-Redirect": "/sign-in"})
    return RedirectResponse(url, 303)


async def _on_business_error(request: Request, error: Exception) -> Response:
    if not isinstance(error, BusinessError):
        raise error
    return respond_to(request, error)


def respond_to(request: Request, error: BusinessError) -> Response:
    """The answer to a refusal, for a handler that keeps its transaction (a failed sign-in leaves a trace)."""
    language = language_of(request)
    message = translate(language, error.message_key, **error.params)
    errors: dict[str, str] = {}
    if isinstance(error, FieldErrors):
        errors = {e.field or FORM_FIELD: translate(language, e.message_key, **e.params) for e in error.errors}
    if isinstance(error, PasswordMustChange) and not is_api(request):
        return see_other(request, "/account", Flash("access.error.must_change", "warning"))
    return respond(request, error.status, message, error.field, errors)


def _field_message(language: str, problem: dict[str, Any]) -> str:
    kind = str(problem.get("type", ""))
    if kind == "missing" or (kind == "string_too_short" and not problem.get("input")):
        return translate(language, "error.field.required")
    if kind.startswith("date"):
        return translate(language, "error.field.date")
    if kind.startswith(("int", "decimal", "float")):
        return translate(language, "error.field.number")
    if kind == "string_too_long":
        return translate(language, "error.field.long", limit=problem.get("ctx", {}).get("max_length", ""))
    return translate(language, "error.field.invalid")


async def _on_validation_error(request: Request, error: Exception) -> Response:
    if not isinstance(error, RequestValidationError):
        raise error
    language = language_of(request)
    errors = {str(p["loc"][-1]) if p["loc"] else FORM_FIELD: _field_message(language, p) for p in error.errors()}
    return respond(request, 422, translate(language, "error.form"), None, errors)


async def _on_http_error(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    language = language_of(request)
    key = f"error.message.{error.status_code}"
    message = translate(language, key if has_text(key) else "error.message.other")
    return respond(request, error.status_code, message, None, {})


async def _on_store_failure(request: Request, error: Exception) -> Response:
    """Where the database does not answer, the same request may succeed in a moment."""
    state = getattr(getattr(error, "orig", error), "sqlstate", None)
    if not (state is None or state[:2] == "08" or state[:3] == "57P"):
        raise error
    log.error("request to %s failed: the store does not answer", request.scope.get("route", "?"))
    request.state.form_page = None  # it would ask the store
    response = respond(request, 503, translate(language_of(request), "error.message.503"), None, {})
    response.headers["Retry-After"] = RETRY_AFTER_SECONDS
    return response


async def _on_crash(request: Request, error: Exception) -> Response:
    # Starlette raises the error again after this answer, so the server logs it with its traceback.
    log.error("request to %s failed: %s", request.scope.get("route", "?"), type(error).__name__)
    language = language_of(request)
    request.state.form_page = None  # what failed may fail again
    response = respond(request, 500, translate(language, "error.message.500"), None, {})
    response.headers.update(HEADERS)  # this answer passes none of the middleware
    return response


def install_problem_handlers(app: FastAPI) -> None:
    """Answer every refusal and failure as described above."""
    app.add_exception_handler(BusinessError, _on_business_error)
    app.add_exception_handler(RequestValidationError, _on_validation_error)
    app.add_exception_handler(HTTPException, _on_http_error)
    app.add_exception_handler(OperationalError, _on_store_failure)
    app.add_exception_handler(psycopg.OperationalError, _on_store_failure)  # of the query service's own connection
    app.add_exception_handler(Exception, _on_crash)
