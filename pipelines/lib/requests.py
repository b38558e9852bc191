"""Asking for a pass: of the running writer, or, where none runs, of this process."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

import psycopg

from kmis.clock import Clock
from kmis.settings import Settings
from pipelines.lib.compiled import compiled_project
from pipelines.lib.dbt_runner import DbtRunner
from pipelines.lib.errors import PassRefused, WriterBusy
from pipelines.lib.records import Kind
from pipelines.lib.workshop import open_workshop
from pipelines.lib.writer import Reporter, Writer, release_requests

POLL_SECONDS = 0.25


class RequestFailed(PassRefused):
    """The pass that was asked for failed; the message is the recorded one."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a request. ``snapshot_id`` is the newest published snapshot, None before the first."""

    pass_id: int | None
    state: str
    feed_rows: int
    models: int
    snapshot_id: int | None
    watermark_xid: int | None


def ask(
    settings: Settings,
    clock: Clock,
    reporter: Reporter,
    kind: Kind = "refresh",
    asked_by: str = "command line",
    progress: Callable[[str], None] | None = None,
) -> Answer:
    """Has one pass made and waits for it; tells ``progress`` each new step.

    Raises RequestFailed when the pass failed, DbtFailed when this process could not compile the project.
    """
    with psycopg.connect(settings.dsn("kmis_writer"), autocommit=True) as store:
        row = store.execute(
            "insert into pass_request (kind, requested_by) values (%s, %s) returning id", (kind, asked_by)
        ).fetchone()
        request = int(row[0]) if row else 0
        told = ""
        pause = threading.Event()
        while True:
            state = store.execute("select state, error from pass_request where id = %s", (request,)).fetchone()
            if state is None or state[0] == "failed":
                raise RequestFailed(str(state[1]) if state else "the request is gone")
            if state[0] == "done":
                return _answer(store, request)
            if not _answer_here(settings, clock, reporter, request):
                step = store.execute("select step from lake_pass where state = 'running'").fetchone()
                if progress and step and step[0] != told:
                    told = str(step[0])
                    progress(told)
                pause.wait(POLL_SECONDS)


def _answer_here(settings: Settings, clock: Clock, reporter: Reporter, request: int) -> bool:
    """Takes the writer's place for the waiting requests. False when a writer runs: it will answer."""
    try:
        workshop = open_workshop(settings, clock)
    except WriterBusy:
        return False
    with workshop:
        release_requests(workshop)
        writer = Writer(workshop, compiled_project(DbtRunner(settings, workshop.instance)), reporter)
        waiting = "select count(*) from pass_request where state = 'waiting' and id <= %s and kind <> 'verification'"
        while (row := workshop.store.execute(waiting, (request,)).fetchone()) and row[0]:
            writer.step()
    return True


def _answer(store: psycopg.Connection[tuple[object, ...]], request: int) -> Answer:
    row = store.execute(
        "select p.id, p.state, p.feed_rows, p.models from pass_request as r"
        " left join lake_pass as p on p.id = r.pass_id"
        " where r.id = %s",
        (request,),
    ).fetchone()
    newest = store.execute("select snapshot_id, watermark_xid from published order by id desc limit 1").fetchone()
    pass_id, state, rows, models = row if row else (None, None, None, None)
    return Answer(
        pass_id=None if pass_id is None else int(str(pass_id)),
        state="unchanged" if state is None else str(state),
        feed_rows=int(str(rows or 0)),
        models=int(str(models or 0)),
        snapshot_id=int(str(newest[0])) if newest else None,
        watermark_xid=int(str(newest[1])) if newest else None,
    )
