"""Publication: the serving files of a snapshot, and the row in ``published`` that lets readers see it."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from kmis import lake, serving
from pipelines.lib.compiled_pass import Change
from pipelines.lib.project import Model
from pipelines.lib.workshop import Workshop

# A page of the last few snapshots is answered from its file; an older one from the lake.
KEPT_FILES = 5
# Deleted cells leave holes in a copied file; a table is written anew after this many copies.
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
    """Publishes snapshots; knows how often each table's file was copied since it was last written anew.

    ``kept_files``: the files of so many of the newest snapshots stay; fewer where the storage budget is used up.
    """

    def __init__(self, workshop: Workshop, served: Sequence[Model]) -> None:
        self.workshop = workshop
        self.served = tuple(served)
        self.kept_files = KEPT_FILES
        self._copies: Counter[str] = Counter()

    def publish(self, built: Built, changes: Sequence[Change] | None, started_at: datetime) -> Publication:
        """Makes the serving files and the row. ``changes``: what the pass changed, None when it is not known.

        The last known reconciliation is carried on with its own watermark; the next reconciliation replaces it.
        """
        before = newest_publication(self.workshop)
        snapshot = lake.current_snapshot(self.workshop.lake)
        previous = self.served_by(before)
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
        """Removes lists and files that belong neither to the newest nor to a pinned snapshot; names of the lists.

        An open reader keeps its own handles.
        """
        rows = self.workshop.store.execute("select snapshot_id from snapshot_pin where released_at is null").fetchall()
        pinned = {int(str(row[0])) for row in rows}
        folder = self._folder()
        listed = serving.snapshots(folder)
        return serving.remove(folder, [number for number in listed[: -self.kept_files] if number not in pinned])

    def _remove_drafts(self) -> None:
        """What a writer that died left; its log beside a new draft would be replayed into it."""
        for path in self._folder().glob("*.draft*"):
            path.unlink(missing_ok=True)

    def _folder(self) -> Path:
        folder = self.workshop.settings.serve_dir
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return folder

    def served_by(self, publication: Publication | None) -> dict[str, Path] | None:
        """The serving file of each table; None where some are missing, as after an upgrade that lays them out anew."""
        return None if publication is None else serving.read(self._folder(), publication.snapshot_id)

    def _serve(self, snapshot: int, previous: Mapping[str, Path] | None, changes: Sequence[Change] | None) -> Path:
        self._remove_drafts()
        changed = None if changes is None else {change.model.name: change for change in changes}
        known = previous or {}
        files = {}
        for model in self.served:
            change = None if changed is None else changed.get(model.name)
            before = known.get(model.name) if changed is not None else None
            if before is not None and change is None:
                files[model.name] = before
            else:
                amended = before if change is not None and not change.whole else None
                files[model.name] = self._file(model, snapshot, amended)
        return serving.write(self._folder(), snapshot, files)

    def _file(self, model: Model, snapshot: int, before: Path | None) -> Path:
        """The table's file: that of before with the batch of the pass, or all of it out of the lake."""
        target = serving.file_of(self._folder(), model.name, snapshot)
        draft = target.with_suffix(".draft")
        copied = before is not None and self._copies[model.name] < COPIES
        if copied and before is not None:
            shutil.copyfile(before, draft)
        self._copies[model.name] = self._copies[model.name] + 1 if copied else 0
        place = str(draft).replace("'", "''")
        connection = self.workshop.lake
        connection.execute(f"attach '{place}' as serving")
        # A checkpoint that merges row groups took 0.8 s where 50,000 of 1.9 million rows had changed, one that does not
        # 0.1 s. The holes go when the file is written anew.
        connection.execute("set max_vacuum_tasks = 0")
        try:
            connection.begin()
            try:
                self._fill(model, whole=not copied)
                connection.commit()
            except BaseException:
                connection.rollback()
                raise
            connection.execute("checkpoint serving")
        finally:
            connection.execute("reset max_vacuum_tasks")
            connection.execute("detach serving")
        draft.chmod(0o600)
        _make_durable(draft)
        draft.replace(target)
        return target

    def _fill(self, model: Model, *, whole: bool) -> None:
        connection = self.workshop.lake
        target = f"serving.{serving.TABLE}"
        if whole:
            connection.execute(f"create table {target} as select * from {model.relation}")
            return
        keys = ", ".join(f'"{key}"' for key in model.keys)
        connection.execute(f"delete from {target} where ({keys}) in (select {keys} from {model.batch})")
        connection.execute(
            f"insert into {target} by name select * exclude (deleted_flag) from {model.batch} where not deleted_flag"
        )


def _make_durable(file: Path) -> None:
    handle = os.open(file, os.O_RDONLY)
    with contextlib.closing(os.fdopen(handle)):
        os.fsync(handle)
