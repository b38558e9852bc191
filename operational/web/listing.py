"""Lists: one request shape (search, sort, page) and one answer shape for every table.

A list is a form sent by POST, so that what is searched for (a name, an IIN) stands in no address and no log.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated, Generic, TypeVar

from fastapi import Depends, Request

T = TypeVar("T")
PAGE_SIZE = 25


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table; `sort` is the name to sort by, None where sorting makes no sense.

    `title` stands in the place of the text where the words come from data.
    """

    text_key: str
    sort: str | None = None
    numeric: bool = False
    narrow: bool = False  # hidden on a phone
    title: str = ""


@dataclass(frozen=True, slots=True)
class ListRequest:
    """What the user asks of a list. `page` counts from 1."""

    query: str = ""
    sort: str = ""
    descending: bool = False
    page: int = 1
    size: int = PAGE_SIZE
    filters: dict[str, str] = field(default_factory=dict)

    @property
    def offset(self) -> int:
        """Rows before the page."""
        return (self.page - 1) * self.size

    def sort_in(self, allowed: Sequence[str]) -> str:
        """The column to sort by: the asked one when the list knows it, else the first allowed."""
        return self.sort if self.sort in allowed else allowed[0]

    def settled(self, allowed: Sequence[str]) -> ListRequest:
        """The same request with the column that it is really sorted by."""
        return replace(self, sort=self.sort_in(allowed))


@dataclass(frozen=True, slots=True)
class ListPage(Generic[T]):
    """One page of a list with the request that made it; `total` counts all rows that match."""

    rows: Sequence[T]
    total: int
    request: ListRequest

    @property
    def pages(self) -> int:
        """How many pages there are, at least one."""
        return max(1, -(-self.total // self.request.size))

    @property
    def first(self) -> int:
        """Number of the first row shown, 0 for none."""
        return self.request.offset + 1 if self.rows else 0

    @property
    def last(self) -> int:
        """Number of the last row shown."""
        return self.request.offset + len(self.rows)


async def _read(request: Request) -> ListRequest:
    form = await request.form() if request.method == "POST" else {}
    values = {key: value for key, value in form.items() if isinstance(value, str)}
    sort, _, direction = (values.pop("sort_by", "") or values.pop("sort", "")).partition(":")
    values.pop("sort", None)
    page = values.pop("page", "1")
    values.pop("csrf_token", None)
    return ListRequest(
        query=values.pop("q", "").strip()[:200],
        sort=sort,
        descending=direction == "desc",
        page=min(int(page), 100_000) if page.isdecimal() and int(page) > 0 else 1,
        filters={key: value for key, value in values.items() if value},
    )


ListQuery = Annotated[ListRequest, Depends(_read)]
