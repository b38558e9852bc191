"""Orders of files: entered here, made by the worker, served with an access check."""

from __future__ import annotations

import logging
from pathlib import Path

from sqlalchemy.orm import Session

from exports.order import FORMATS, Order
from exports.service import carry_out, kept_file
from kmis.catalogue.models import Language
from kmis.query import QueryService, Selection
from kmis.settings import Settings
from operational.domains.monitoring import repository
from operational.domains.monitoring.asking import refusals, scope_of
from operational.domains.monitoring.errors import FileGone, FileNotReady, FormatUnknown
from operational.kit.access import Scope
from operational.kit.audit import audit
from operational.kit.db import transaction
from operational.kit.errors import NotFound
from operational.kit.models import UnloadLog
from operational.web.viewer import Viewer

log = logging.getLogger(__name__)


def order(
    db: Session, query: QueryService, viewer: Viewer, product_id: str, selection: Selection, snapshot: int | None,
    format_: str, language: Language,
) -> UnloadLog:  # fmt: skip
    """Enter an order; the worker makes the file. From now on the snapshot is kept."""
    with refusals():
        product = query.catalogue.product(product_id)
        selection.checked(product, query.catalogue.dimensions)
        published = query.published(snapshot) if snapshot is not None else query.current()
    if format_ not in FORMATS or (format_ in ("pdf", "docx", "xls") and format_ not in product.outputs):
        raise FormatUnknown()
    scope = scope_of(viewer)
    wanted = Order(
        product_id, selection, scope, published.snapshot_id, language, viewer.display_name,
        format=next(known for known in FORMATS if known == format_),
    )  # fmt: skip
    row = UnloadLog(
        product=product_id,
        format=format_,
        language=language,
        snapshot_id=published.snapshot_id,
        criteria=wanted.criteria(),
        user_id=viewer.user_id,
        organisation_ids=sorted(scope.organisation_ids),
        show_identifiers=scope.show_identifiers,
    )
    db.add(row)
    db.flush()
    audit(db, "unload.ordered", object_table="unload_log", object_id=row.id, detail={"product": product_id})
    return row


def file_of(db: Session, settings: Settings, viewer: Viewer, key: int) -> tuple[UnloadLog, Path]:
    """The finished file of an order of the viewer; its taking is audited."""
    row = repository.unload(db, key, viewer.user_id)
    if row is None:
        raise NotFound()
    if row.status != "ready" or row.file_name is None:
        raise FileNotReady()
    path = kept_file(settings, row.id, row.file_name)
    if not path.is_file():
        raise FileGone()
    audit(db, "unload.taken", object_table="unload_log", object_id=row.id, detail={"product": row.product})
    return row, path


def make_waiting(settings: Settings, query: QueryService) -> int:
    """Make every file that waits; returns how many were taken. A failure is noted at its order."""
    taken = 0
    with transaction(settings, Scope.nobody()) as db:
        keys = list(repository.waiting(db))
    for key in keys:
        try:
            carry_out(settings, query, key)
        except LookupError:
            continue  # another worker was first
        except Exception as error:  # one broken order must not stop the others
            log.warning("order %s was not made: %s", key, type(error).__name__)
        taken += 1
    return taken


def take_up_again(settings: Settings) -> None:
    """After a restart: what a stopped worker was making waits again."""
    with transaction(settings, Scope.nobody()) as db:
        for row in repository.running(db):
            row.status, row.progress = "waiting", 0
