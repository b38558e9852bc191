"""Publication: the serving file of a snapshot, and the row in ``published`` that lets readers see it."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from kmis import lake
from pipelines.lib.compiled_pass import Change
from pipelines.lib.project import Model
from pipelines.lib.workshop import Workshop

# A page of the last few snapshots is answered from its file; an older one from the lake.
KEPT_FILES = 5
# Deleted cells leave holes in a copied file; it is written anew after this many copies.
COPIES = 50


@dataclass(frozen=True, slots=True)
class Built:
    """The state of gold: the last transaction that models and checks have passed."""

    xid: int
    epoch_id: int
    event_at: datetime | None


@dataclass(frozen=True, slots=True)
class Publication:
    """One row of ``published``."""

    id: int
    snapshot_id: int
    watermark_xid: int
    serve_file: str | None


def newest_publication(workshop: Workshop) -> Publication | None:
    """What readers see now."""
    row = workshop.store.execute(
        "select id, snapshot_id, watermark_xid, serve_file from published order by id desc limit 1"
    ).fetchone()
    if row is None:
        return None
    return Publication(int(str(row[0])), int(str(row[1])), int(str(row[2])), None if row[3] is None else str(row[3]))


class Publisher:
    """Publishes snapshots; knows how often the serving file was copied since it was last written anew.

    ``kept_files``: so many of the newest serving files stay; fewer where the storage budget is used up.
    """

    def __init__(self, workshop: Workshop, served: Sequence[Model]) -> None:
        self.workshop = workshop
        self.served = tuple(served)
        self.kept_files = KEPT_FILES
        self._copies = 0

    def publish(self, built: Built, changes: Sequence[Change] | None, started_at: datetime) -> Publication:
        """Makes the serving file and the row. ``changes``: what the pass changed, None when it is not known.

        The last known reconciliation is carried on with its own watermark; the next reconciliation replaces it.
        """
        before = newest_publication(self.workshop)
        snapshot = lake.current_snapshot(self.workshop.lake)
        previous = self._file_of(before)
        if before is not None and before.snapshot_id == snapshot and previous is not None:
            return before
        file = self._serve(snapshot, previous, changes)
        now = self.workshop.clock.now()
        row = self.workshop.store.execute(
            "insert into published (snapshot_id, epoch_id, watermark_xid, event_at, published_at, duration_ms, state,"
            " reconciliation, serve_file) values (%s, %s, %s, %s, %s, %s, 'published',"
            " (select reconciliation from published order by id desc limit 1), %s) returning id",
            (snapshot, built.epoch_id, built.xid, built.event_at, now,
             round((now - started_at).total_seconds() * 1000), file.name),
        ).fetchone()  # fmt: skip
        if row is None:
            raise AssertionError("INSERT … RETURNING gives one row")
        self.remove_old_files()
        return Publication(int(str(row[0])), snapshot, built.xid, file.name)

    def remove_old_files(self) -> list[str]:
        """Removes serving files that are neither among the newest nor pinned; an open reader keeps its own handle."""
        rows = self.workshop.store.execute("select snapshot_id from snapshot_pin where released_at is null").fetchall()
        pinned = {int(str(row[0])) for row in rows}
        files = sorted(
            (path for path in self._folder().glob("*.duckdb") if path.stem.isdigit()), key=lambda path: int(path.stem)
        )
        gone = [path for path in files[: -self.kept_files] if int(path.stem) not in pinned]
        for path in gone:
            path.unlink(missing_ok=True)
        return [path.name for path in gone]

    def _remove_drafts(self) -> None:
        """What a writer that died left; its log beside a new draft would be replayed into it."""
        for path in self._folder().glob("*.draft*"):
            path.unlink(missing_ok=True)

    def _folder(self) -> Path:
        folder = self.workshop.settings.serve_dir
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return folder

    def _file_of(self, publication: Publication | None) -> Path | None:
        if publication is None or publication.serve_file is None:
            return None
        file = self._folder() / publication.serve_file
        return file if file.exists() else None

    def _serve(self, snapshot: int, previous: Path | None, changes: Sequence[Change] | None) -> Path:
        target = self._folder() / f"{snapshot}.duckdb"
        draft = target.with_suffix(".draft")
        self._remove_drafts()
        copied = previous is not None and changes is not None and self._copies < COPIES
        if copied and previous is not None:
            shutil.copyfile(previous, draft)
        self._copies = self._copies + 1 if copied else 0
        present = lake.serving_tables(draft) if copied else set()
        place = str(draft).replace("'", "''")
        connection = self.workshop.lake
        connection.execute(f"attach '{place}' as serving")
        try:
            connection.begin()
            try:
                self._fill(changes if copied else None, present)
                connection.commit()
            except BaseException:
                connection.rollback()
                raise
            connection.execute("checkpoint serving")
        finally:
            connection.execute("detach serving")
        draft.chmod(0o600)
        _make_durable(draft)
        draft.replace(target)
        return target

    def _fill(self, changes: Sequence[Change] | None, present: set[tuple[str, str]]) -> None:
        connection = self.workshop.lake
        changed = None if changes is None else {change.model.name: change for change in changes}
        for schema, name in present - {(model.schema, model.name) for model in self.served}:
            connection.execute(f'drop table serving."{schema}"."{name}"')
        for model in self.served:
            target = f'serving."{model.schema}"."{model.name}"'
            change = None if changed is None else changed.get(model.name)
            known = (model.schema, model.name) in present
            if known and changed is not None and change is None:
                continue
            if not known or change is None or change.whole:
                connection.execute(f'create schema if not exists serving."{model.schema}"')
                connection.execute(f"create or replace table {target} as select * from {model.relation}")
                continue
            keys = ", ".join(f'"{key}"' for key in model.keys)
            connection.execute(f"delete from {target} where ({keys}) in (select ({keys}) from {model.batch})")
            connection.execute(
                f"insert into {target} by name"
                f" select * exclude (deleted_flag) from {model.batch} where not deleted_flag"
            )


def _make_durable(file: Path) -> None:
    handle = os.open(file, os.O_RDONLY)
    with contextlib.closing(os.fdopen(handle)):
        os.fsync(handle)
