"""One pass: feed to bronze, bronze to gold, gold to readers. Re-runnable at every point.

Bronze's watermark says what was received, ``bronze.built`` what models and checks have passed; a pass covers what
lies between the two. A failed pass leaves bronze ahead, and gold, readers and ``built`` as they were; the next one
takes the same range again, with what came in since.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from kmis import lake
from pipelines.lib import loader, maintenance
from pipelines.lib.compiled_pass import Change, Held, Outcome, drop_missing, run_models
from pipelines.lib.feed import Pending
from pipelines.lib.maintenance import Upkeep, Wear
from pipelines.lib.project import Project
from pipelines.lib.publish import Built, Publication, Publisher, newest_publication
from pipelines.lib.records import PassRecord
from pipelines.lib.syncing import sync_files
from pipelines.lib.workshop import Workshop

Progress = Callable[[str], None]
BRONZE_OF_A_PASS = (("bronze", "change"), ("bronze", "watermark"), ("bronze", "built"))


@dataclass(frozen=True, slots=True)
class PassResult:
    """What a pass did: bounds (exclusive, inclusive), changed tables, what was published, seconds by step."""

    pass_id: int
    entries: int
    from_xid: int
    to_xid: int
    changes: tuple[Change, ...]
    warnings: tuple[str, ...]
    publication: Publication
    seconds: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Known:
    """The models that the lake's tables were built by: schema and checksum by name."""

    schemas: dict[str, str]
    checksums: dict[str, str]


def read_built(workshop: Workshop) -> Built | None:
    """The state of gold; None before the first build."""
    row = workshop.lake.execute("select xid, epoch_id, event_at from lake.bronze.built").fetchone()
    return None if row is None else Built(*row)


class Passes:
    """Makes passes in one workshop with one compiled project."""

    def __init__(self, workshop: Workshop, project: Project) -> None:
        self.workshop = workshop
        self.project = project
        self.publisher = Publisher(workshop, project.served)
        self._held = Held(workshop.lake, project.models)
        self.wear = Wear()
        self._left_at = 0

    def refresh(self, *, rebuild: bool = False, progress: Progress | None = None) -> PassResult | None:
        """One pass. None when there was nothing to do. ``rebuild`` makes every model anew from bronze.

        Raises PassRefused, ModelFailed, CheckFailed, after the failure was recorded in ``lake_pass``.
        """
        record = PassRecord(self.workshop, "rebuild" if rebuild else "refresh")

        def tell(step: str) -> None:
            record.step(step)
            if progress:
                progress(step)

        def found(bounds: Pending) -> None:
            record.open(bounds.from_xid, bounds.to_xid)
            tell(f"append {bounds.entries}")

        try:
            self._trust_copies()
            loaded = loader.load(self.workshop, found)
            while loaded:
                record.entries += loaded.bounds.entries
                tell(f"load {record.entries}")
                # What is committed meanwhile waits for the next pass: under a steady load there would be no end.
                loaded = loader.load(self.workshop, found) if loaded.more else None
            record.mark("load")
            result = self._to_gold(record, rebuild, tell)
            self._left_at = lake.current_snapshot(self.workshop.lake)
            if result is not None:
                detail: dict[str, object] = {
                    "models": {change.model.name: change.rows for change in result.changes},
                    "warnings": list(result.warnings),
                }
                record.finish("published", result.publication.snapshot_id, len(result.changes), detail)
            return result
        except Exception as error:
            record.fail(error)
            raise

    def compact(self) -> Upkeep:
        """Compacts all of the lake's files; no row changes. The next pass copies anew, for tables may have grown."""
        self.wear = Wear()
        return maintenance.compact(self.workshop)

    def serve(self) -> bool:
        """Makes serving files of what is published where some are missing. False where the next pass makes them.

        That is when nothing is published yet, when the lake is ahead of the publication, or when models have changed.
        """
        built, newest = read_built(self.workshop), newest_publication(self.workshop)
        known = self._known_models()
        if built is None or newest is None or newest.snapshot_id != lake.current_snapshot(self.workshop.lake):
            return False
        if self._to_rebuild(known, everything=False) or self._gone(known):
            return False
        self.publisher.publish(built, None, self.workshop.clock.now())
        return True

    def _compact_worn(self, outcome: Outcome) -> None:
        """Before the snapshot is published, so that what is published stays the newest."""
        written = [(change.model.schema, change.model.name) for change in outcome.changes if not change.model.transient]
        self.wear.wrote([*BRONZE_OF_A_PASS, *written])
        maintenance.compact_worn(self.workshop, self.wear)

    def _trust_copies(self) -> None:
        """Clears them unless the lake's newest snapshot is the one that this object left."""
        if lake.current_snapshot(self.workshop.lake) != self._left_at:
            self._held.clear()

    def _to_gold(self, record: PassRecord, rebuild: bool, tell: Progress) -> PassResult | None:
        watermark = loader.read_watermark(self.workshop.lake)
        if watermark is None:
            return None
        before = read_built(self.workshop)
        start = before.xid if before else 0
        newest = newest_publication(self.workshop)
        # Without its changes the serving file cannot be amended: what an earlier pass built may be unpublished.
        follows = self.published_as_built(newest)
        known = self._known_models()
        again = self._to_rebuild(known, everything=rebuild or before is None)
        now = Built(watermark.xid, watermark.epoch_id, watermark.event_at)
        outcome = None
        if start < now.xid or again or self._gone(known):
            record.open(start, now.xid)
            outcome = self._build(start, now, again, known, tell)
            record.mark("models")
            tell("compact")
            self._compact_worn(outcome)
            record.mark("compact")
        current = newest is not None and newest.snapshot_id == lake.current_snapshot(self.workshop.lake)
        if newest is not None and current and self.publisher.served_by(newest) is not None:
            return None
        pass_id = record.open(start, now.xid)
        tell("publish")
        changes = outcome.changes if outcome else ()
        publication = self.publisher.publish(now, changes if outcome and follows else None, record.started_at)
        record.mark("publish")
        return PassResult(
            pass_id, record.entries, start, now.xid, changes, outcome.warnings if outcome else (), publication,
            dict(record.seconds),
        )  # fmt: skip

    def published_as_built(self, newest: Publication | None) -> bool:
        """Whether gold stands as it was when it was last published; a writer that died may have built more."""
        if newest is None:
            return False
        row = self.workshop.lake.execute(
            "select count(*) from lake.bronze.built where built_at in"
            f" (select built_at from lake.bronze.built at (version => {newest.snapshot_id}))"
        ).fetchone()
        return row is not None and row[0] == 1

    def _to_rebuild(self, known: _Known, *, everything: bool) -> list[str]:
        if everything:
            return [model.name for model in self.project.models]
        return self.project.outdated(known.checksums)

    def _gone(self, known: _Known) -> set[str]:
        return set(known.schemas) - {model.name for model in self.project.models}

    def _build(self, start: int, now: Built, again: list[str], known: _Known, tell: Progress) -> Outcome:
        connection = self.workshop.lake
        connection.begin()
        try:
            models = self.project.affected(self._touched(start, now.xid), again)
            outcome = run_models(connection, models, start, now.xid, again, tell, self._held)
            drop_missing(connection, known.schemas, (model.name for model in self.project.models))
            self._remember(now, models_changed=bool(again or self._gone(known)))
            tell("commit")
            sync_files(self.workshop.settings.lake_dir)
            self.workshop.ensure_lock()
            connection.commit()
        except BaseException:
            # A commit that failed has ended the transaction already: the rollback fails then too.
            self._left_at = -1
            connection.rollback()
            self._held.clear()
            raise
        return outcome

    def _touched(self, start: int, end: int) -> Iterable[str]:
        rows = self.workshop.lake.execute(
            "select distinct table_name from lake.bronze.change where xid > ? and xid <= ?", [start, end]
        ).fetchall()
        return [str(row[0]) for row in rows]

    def _known_models(self) -> _Known:
        rows = self.workshop.lake.execute("select name, schema_name, checksum from lake.bronze.model").fetchall()
        return _Known({row[0]: row[1] for row in rows}, {row[0]: row[2] for row in rows})

    def _remember(self, now: Built, *, models_changed: bool) -> None:
        connection = self.workshop.lake
        connection.execute("delete from lake.bronze.built")
        connection.execute(
            "insert into lake.bronze.built values (?, ?, ?, ?)",
            [now.xid, now.epoch_id, now.event_at, self.workshop.clock.now()],
        )
        if models_changed:
            connection.execute("delete from lake.bronze.model")
            connection.executemany(
                "insert into lake.bronze.model values (?, ?, ?)",
                [[model.schema, model.name, model.checksum] for model in self.project.models],
            )
