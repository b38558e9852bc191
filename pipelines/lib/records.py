"""The trace that a pass leaves in ``lake_pass``: what it does now, what it did, why it failed."""

from __future__ import annotations

import json
import logging
from datetime import datetime
from typing import Literal

from pipelines.lib.errors import safe_text
from pipelines.lib.workshop import Workshop

Kind = Literal["refresh", "rebuild", "maintenance", "verification"]
State = Literal["published", "unchanged", "done", "failed"]
log = logging.getLogger(__name__)


class PassRecord:
    """One row of ``lake_pass``, opened when there is something to do: idle polls leave no trace."""

    def __init__(self, workshop: Workshop, kind: Kind) -> None:
        self.workshop = workshop
        self.kind = kind
        self.id: int | None = None
        self.started_at: datetime = workshop.clock.now()
        self.entries = 0
        self.seconds: dict[str, float] = {}
        self._from: int | None = None
        self._to: int | None = None
        self._marked_at = self.started_at

    def open(self, from_xid: int | None = None, to_xid: int | None = None) -> int:
        """Writes the row if there is none yet, and widens its bounds. Gives its number."""
        self._from = from_xid if self._from is None else self._from
        self._to = to_xid if to_xid is not None else self._to
        if self.id is None:
            row = self.workshop.store.execute(
                "insert into lake_pass (kind, started_at, from_xid, to_xid) values (%s, %s, %s, %s) returning id",
                (self.kind, self.started_at, self._from, self._to),
            ).fetchone()
            self.id = int(str(row[0])) if row else 0
        return self.id

    def step(self, name: str) -> None:
        """Shows what is being done."""
        if self.id is not None:
            self.workshop.store.execute("update lake_pass set step = %s where id = %s", (name, self.id))

    def mark(self, step: str) -> None:
        """Notes how long a step took, in seconds."""
        now = self.workshop.clock.now()
        self.seconds[step] = round((now - self._marked_at).total_seconds(), 3)
        self._marked_at = now

    def finish(self, state: State, snapshot: int | None, models: int, detail: dict[str, object]) -> None:
        """Closes the row, if one was opened."""
        if self.id is not None:
            self._close(state, snapshot, models, None, {"seconds": self.seconds, **detail})

    def fail(self, error: Exception) -> None:
        """Records a failure; what could not be written to the store stands in the log."""
        text = safe_text(error)
        log.error("%s failed: %s", self.kind, text)
        try:
            self.open()
            self._close("failed", None, 0, text, {"seconds": self.seconds})
        except Exception as second:
            log.error("the failure could not be recorded: %s", safe_text(second))

    def _close(
        self, state: State, snapshot: int | None, models: int, error: str | None, detail: dict[str, object]
    ) -> None:
        self.workshop.store.execute(
            "update lake_pass set state = %s, step = '', finished_at = %s, from_xid = %s, to_xid = %s,"
            " feed_rows = %s, models = %s, snapshot_id = %s, error = %s, detail = %s where id = %s",
            (state, self.workshop.clock.now(), self._from, self._to, self.entries, models, snapshot, error,
             json.dumps(detail), self.id),
        )  # fmt: skip
