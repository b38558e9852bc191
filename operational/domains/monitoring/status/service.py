"""Asking the writer for a pass from the screen: once at a time for each kind, and audited."""

from __future__ import annotations

from sqlalchemy.orm import Session

from operational.domains.monitoring.status import repository
from operational.kit.audit import audit
from operational.kit.errors import BusinessError, Conflict
from operational.kit.models import PassRequest
from operational.web.viewer import Viewer

KINDS = ("refresh", "maintenance", "verification")


class KindUnknown(BusinessError):
    """Nothing of this name can be asked for here."""

    message_key = "status.error.kind"


class AskedAlready(Conflict):
    """The same was asked for and is not done yet."""

    message_key = "status.error.asked"


def ask(session: Session, viewer: Viewer, kind: str) -> int:
    """Enters the request for the writer; gives its number. Raises KindUnknown, AskedAlready."""
    if kind not in KINDS:
        raise KindUnknown
    if any(request.kind == kind for request in repository.requests(session)):
        raise AskedAlready
    request = PassRequest(kind=kind, requested_by=viewer.login)
    session.add(request)
    session.flush()
    audit(session, "pass.requested", object_table="pass_request", object_id=request.id, detail={"kind": kind})
    return request.id
