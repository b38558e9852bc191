"""Form values: read as text, then checked by a pydantic schema; a refusal names the field."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import date, datetime
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, BeforeValidator, ValidationError

from operational.web.csrf import FIELD
from operational.web.formats import TYPED_DAY, TYPED_MOMENT, parse_date

Schema = TypeVar("Schema", bound=BaseModel)


class FormValues(dict[str, str]):
    """What was typed, by field name, trimmed; `lists` keeps every value of a repeated field."""

    lists: dict[str, list[str]]

    def filled(self) -> dict[str, str]:
        """The fields that are not empty."""
        return {name: value for name, value in self.items() if value}


async def _read(request: Request) -> FormValues:
    values = FormValues()
    values.lists = {}
    for name, value in (await request.form()).multi_items():
        if isinstance(value, str) and name != FIELD:
            values[name] = value.strip()
            values.lists.setdefault(name, []).append(value.strip())
    return values


Form = Annotated[FormValues, Depends(_read)]


def _typed_date(value: Any) -> Any:
    return parse_date(value) if isinstance(value, str) else value


FormDate = Annotated[date, BeforeValidator(_typed_date)]


def _typed_moment(*forms: str) -> Callable[[Any], Any]:
    """Reads a moment as people type it; anything else, also one that a program sends, is left to the type."""

    def read(value: Any) -> Any:
        if not isinstance(value, str) or value[2:3] != ".":
            return value
        for form in forms:
            with suppress(ValueError):
                return datetime.strptime(value.strip(), form)
        raise ValueError("not a moment")

    return read


# dd.mm.yyyy HH:MM; without a zone it is a time of the organisation's clock. The second takes a day alone as its start.
FormMoment = Annotated[datetime, BeforeValidator(_typed_moment(TYPED_MOMENT))]
FormMomentOrDay = Annotated[datetime, BeforeValidator(_typed_moment(TYPED_MOMENT, TYPED_DAY))]


def parse(schema: type[Schema], values: FormValues, **more: object) -> Schema:
    """The values as the schema; `more` adds or overrides fields (for instance a repeated one).

    Raises RequestValidationError, which the shell turns into messages at the fields.
    """
    try:
        return schema.model_validate({**values.filled(), **more})
    except ValidationError as error:
        raise RequestValidationError(_errors(schema, error)) from None


def _errors(schema: type[BaseModel], error: ValidationError) -> list[dict[str, Any]]:
    problems: list[dict[str, Any]] = []
    for problem in error.errors(include_url=False, include_context=True):
        entry: dict[str, Any] = {**problem}
        field = schema.model_fields.get(str(problem["loc"][0])) if problem["loc"] else None
        if field is not None and "date" in str(field.annotation) and problem["type"] == "value_error":
            entry["type"] = "date_parsing"
        problems.append(entry)
    return problems
