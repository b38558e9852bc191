"""The database session of a request: one transaction with the viewer's scope, committed before the answer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy.orm import Session

from operational.kit.access import Scope
from operational.kit.db import transaction
from operational.web.viewer import viewer_of


def _session(request: Request) -> Iterator[Session]:
    viewer = viewer_of(request)
    with transaction(request.app.state.settings, viewer.scope if viewer else Scope.nobody()) as session:
        request.state.session = session
        try:
            yield session
        except BaseException:
            session.expunge_all()  # keeps what was read, so that the form can be shown again after the rollback
            raise


# scope="function": the commit comes before the answer leaves, so "saved" is never said of what is not.
Db = Annotated[Session, Depends(_session, scope="function")]
