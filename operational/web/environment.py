"""The Jinja2 environment: templates of the shell and of every domain, texts, formats and the component
macros.

A domain's `templates/list.html` is addressed as `<domain>/list.html`. The macros of `components/` stand in
every template as `ui`, `form` and `table`.
"""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from fastapi import Request
from jinja2 import BaseLoader, ChoiceLoader, Environment, FileSystemLoader, PrefixLoader, StrictUndefined
from markupsafe import Markup, escape

from operational.web import formats
from operational.web.assets import static_url
from operational.web.csrf import token_of
from operational.web.texts import OPERATIONAL, has_text, translate
from operational.web.viewer import Viewer


@dataclass(frozen=True, slots=True)
class Frame:
    """What one rendering knows beside its context: the reader, the language and the zone."""

    request: Request
    viewer: Viewer | None
    language: str
    zone: str


_frame: ContextVar[Frame] = ContextVar("frame")
COMPONENTS = ("ui", "form", "table")


def _t(key: str, **params: object) -> str:
    return translate(_frame.get().language, key, **params)


def _date(value: date | datetime | None) -> str:
    return formats.format_date(value, _frame.get().zone)


def _time(value: datetime | None) -> str:
    return formats.format_time(value, _frame.get().zone)


def _moment(value: datetime | None) -> str:
    return formats.format_moment(value, _frame.get().zone)


def _long_date(value: date | datetime) -> str:
    frame = _frame.get()
    return formats.format_long_date(value, frame.language, frame.zone)


def _can(permission: str | None) -> bool:
    viewer = _frame.get().viewer
    return viewer is not None and viewer.can(permission)


def localized(row: Any, field: str = "name") -> Markup:
    """`name_kk` or `name_ru` of an object in the reader's language.

    A missing Kazakh edition shows the Russian one, marked as such.
    """
    language = _frame.get().language

    def get(name: str) -> Any:
        return row.get(name) if isinstance(row, dict) else getattr(row, name, None)

    text = get(f"{field}_{language}")
    if text:
        return escape(text)
    other = get(f"{field}_ru") or get(f"{field}_kk") or ""
    if not other or language == "ru":
        return escape(other)
    return Markup('<span class="untranslated" lang="ru" title="{}">{}</span>').format(_t("shell.untranslated"), other)


def template_loader() -> BaseLoader:
    """Templates of the shell by their own name, of a domain with the domain's name before them."""
    domains = {path.parent.name: FileSystemLoader(path) for path in sorted(OPERATIONAL.glob("domains/*/templates"))}
    own = Path(__file__).resolve().parent / "templates"
    return ChoiceLoader([FileSystemLoader(own), PrefixLoader(dict(domains))])


class Macros:
    """The macros of a component file by name; read late, since the files use each other."""

    def __init__(self, env: Environment, template: str) -> None:
        self._env = env
        self._template = template

    def __getattr__(self, name: str) -> Any:
        """The macro. Raises AttributeError when the file has none of that name."""
        return getattr(self._env.get_template(self._template).module, name)


@lru_cache(maxsize=1)
def environment() -> Environment:
    """The environment, built once per process."""
    env = Environment(
        loader=template_loader(),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    env.globals.update(
        t=_t,
        can=_can,
        has_text=has_text,
        static=static_url,
        localized=localized,
        viewer=lambda: _frame.get().viewer,
        language=lambda: _frame.get().language,
        csrf_token=lambda: token_of(_frame.get().request),
        path=lambda: _frame.get().request.url.path,
        age=formats.age_in_years,
    )
    env.filters.update(date=_date, time=_time, moment=_moment, long_date=_long_date, number=formats.format_number)
    env.globals.update({name: Macros(env, f"components/{name}.html") for name in COMPONENTS})
    return env


def render_template(frame: Frame, template: str, context: dict[str, Any]) -> str:
    """The template as text, for the reader of the frame."""
    token = _frame.set(frame)
    try:
        return environment().get_template(template).render(context)
    finally:
        _frame.reset(token)
