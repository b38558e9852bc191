"""One query service per process, the reader's scope in it, and its refusals as refusals of the screens."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

from fastapi import Depends, Request

from kmis.catalogue.loader import UnknownProduct
from kmis.query import Published, QueryError, QueryService, Scope, SelectionError, SnapshotUnknown
from operational.domains.monitoring.errors import FigureRefused, SelectionRefused
from operational.domains.monitoring.permissions import IDENTIFIERS
from operational.kit.errors import NotFound
from operational.web.viewer import Viewer

_making = threading.Lock()
LONGEST_NUMBER = 18  # digits that a bigint surely holds


def query_of(request: Request) -> QueryService:
    """The application's query service, opened at the first question."""
    state = request.app.state
    with _making:
        if getattr(state, "query", None) is None:
            state.query = QueryService(state.settings, clock=state.clock)
        service: QueryService = state.query
        return service


Query = Annotated[QueryService, Depends(query_of)]


def scope_of(viewer: Viewer) -> Scope:
    """Whose rows the viewer sees, and whether with names."""
    return Scope(viewer.user_id, viewer.organisation_ids, viewer.can(IDENTIFIERS))


def snapshot_of(query: QueryService, typed: str) -> Published:
    """The snapshot that an address names; the newest when it names none. Raises SnapshotUnknown."""
    if not typed:
        return query.current()
    if not typed.isdecimal() or len(typed) > LONGEST_NUMBER:
        raise SnapshotUnknown
    return query.published(int(typed))


@contextmanager
def refusals() -> Iterator[None]:
    """Turn refusals of the catalogue and of the query service into refusals of the screens."""
    try:
        yield
    except SelectionError as error:
        raise SelectionRefused(error) from None
    except UnknownProduct:
        raise NotFound() from None
    except QueryError as error:
        raise FigureRefused(error) from None
