"""Executes compiled models inside the caller's lake transaction: all of them become visible together, or none.

The statements are those of the dbt materialization ``keyed``; a test compares the outcome with a dbt build.
Data tests run on the batch's rows only, so that a pass costs in proportion to what changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import duckdb

from pipelines.lib.errors import CheckFailed, ModelFailed, safe_text
from pipelines.lib.near import Near
from pipelines.lib.project import Check, Model

# Rows of an organisation and a day lie together, and their keys, which grow with time, with them.
CLUSTERED = ("owner_organisation_id", "event_date")


@dataclass(frozen=True, slots=True)
class Change:
    """What a pass did to one table. ``whole``: the table was replaced, its batch is all of it."""

    model: Model
    whole: bool
    rows: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """The changed tables in order, and the checks with severity warn that found rows."""

    changes: tuple[Change, ...]
    warnings: tuple[str, ...]


class Held:
    """What a connection keeps from pass to pass: the batch of each model, and copies of what ``models`` read.

    ``clear`` it after a rollback, and when anything but a pass has changed a table of the lake.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection, models: Sequence[Model]) -> None:
        self.batches: set[str] = set()
        self.near = Near(connection, models)

    def clear(self) -> None:
        """Forget all."""
        self.batches.clear()
        self.near.clear()


def run_models(
    connection: duckdb.DuckDBPyConnection,
    models: Sequence[Model],
    from_xid: int,
    to_xid: int,
    rebuilt: Iterable[str] = (),
    progress: Callable[[str], None] | None = None,
    held: Held | None = None,
) -> Outcome:
    """Runs the models in the given order for from_xid < xid <= to_xid; those in ``rebuilt`` from the beginning.

    A model is a function of its parents and of the feed entries that it reads: one of which none has changed is left
    out. Leaves each model's rows in its temporary table ``batch_<model>``. Raises ModelFailed, CheckFailed.
    """
    again = frozenset(rebuilt)
    held = held or Held(connection, models)
    near = held.near
    near.open(from_xid, to_xid, whole=bool(again))
    moved: set[str] = set()
    changes: list[Change] = []
    warnings: list[str] = []
    connection.execute(f"set variable to_xid = {int(to_xid)}::bigint")
    fed = {model.name for model in models if not model.parents}
    for model in models:
        if model.name not in again and _same_as_before(model, moved, fed) and model.name in held.batches:
            if model.transient:
                connection.execute(f"truncate {model.batch}")
            continue
        if progress:
            progress(model.name)
        start = 0 if model.name in again else from_xid
        connection.execute(f"set variable from_xid = {int(start)}::bigint")
        try:
            change = _run(connection, model, near, anew=model.name in again)
        except duckdb.Error as error:
            raise ModelFailed(model.name, safe_text(error)) from None
        held.batches.add(model.name)
        if change is not None:
            changes.append(change)
            moved.add(model.name)
    if progress:
        progress("checks")
    # After all models, because a check may read a model that is not among its own model's parents.
    for change in changes:
        warnings.extend(_check(connection, change.model, near, anew=change.model.name in again))
    near.close()
    for model in models:
        if model.name in again:
            connection.execute(f"truncate {model.batch}")
            held.batches.discard(model.name)
    return Outcome(tuple(changes), tuple(warnings))


def _same_as_before(model: Model, moved: set[str], fed: set[str]) -> bool:
    """Whether nothing that the model reads has changed. ``fed``: the staging models of the tables in the batch."""
    return (
        bool(model.parents)
        and not moved.intersection(model.parents)
        and not (model.reads_feed and fed.intersection(model.parents))
    )


def drop_missing(connection: duckdb.DuckDBPyConnection, known: dict[str, str], models: Iterable[str]) -> list[str]:
    """Drops the tables of models that the project no longer has. ``known`` maps names to schemas."""
    gone = sorted(set(known) - set(models))
    for name in gone:
        connection.execute(f'drop table if exists lake."{known[name]}"."{name}"')
    return gone


def _run(connection: duckdb.DuckDBPyConnection, model: Model, near: Near, *, anew: bool) -> Change | None:
    sql = near.sql(model.sql)
    connection.execute(f"create or replace temp table {model.batch} as {sql}")
    rows = _rows(model)
    unnamed = " or ".join(f'"{key}" is null' for key in model.keys) or "false"
    found = connection.execute(f"select count(*), count(*) filter ({unnamed}) from {model.batch}").fetchone()
    count, nameless = (int(found[0]), int(found[1])) if found else (0, 0)
    if nameless:
        raise ModelFailed(model.name, "a selected row has no unique_key")
    whole = anew or not model.keys
    if model.transient:
        if anew:  # an earlier release kept the last batch in a table
            connection.execute(f"drop table if exists {model.relation}")
        return Change(model, whole, count) if count else None
    if anew:
        connection.execute(f"create or replace table {model.relation} as select * from {rows} limit 0")
        if model.partition_by:
            connection.execute(f"alter table {model.relation} set partitioned by ({model.partition_by})")
    elif model.keys:
        if not count:
            return None
        keys = ", ".join(f'"{key}"' for key in model.keys)
        if not near.lacks(model):
            connection.execute(f"delete from {model.relation} where ({keys}) in (select {keys} from {model.batch})")
    else:
        if not _differs(connection, model):
            return None
        connection.execute(f"delete from {model.relation}")
    order = _order(connection, model) if anew else ""
    connection.execute(f"insert into {model.relation} by name select * from {rows}{order}")
    near.follow(model, None if whole else rows)
    if anew:
        # The batch was the whole table: a second copy of gold, which nobody reads any more.
        connection.execute(f"truncate {model.batch}")
    return Change(model, whole, count)


def _order(connection: duckdb.DuckDBPyConnection, model: Model) -> str:
    """How a table that is written anew is sorted: what a pass or a reader names then lies in few row groups."""
    columns = {row[0] for row in connection.execute(f"describe {model.batch}").fetchall()}
    names = dict.fromkeys([name for name in CLUSTERED if name in columns] + list(model.keys))
    return " order by " + ", ".join(f'"{name}"' for name in names) if names else ""


def _rows(model: Model) -> str:
    """The rows of the batch that stay, as a table reference."""
    if not model.keys:
        return model.batch
    return f"(select * exclude (deleted_flag) from {model.batch} where not deleted_flag)"


def _differs(connection: duckdb.DuckDBPyConnection, model: Model) -> bool:
    return bool(
        _count(connection, f"(select * from {model.batch} except all select * from {model.relation})")
        or _count(connection, f"(select * from {model.relation} except all select * from {model.batch})")
    )


def _check(connection: duckdb.DuckDBPyConnection, model: Model, near: Near, *, anew: bool) -> list[str]:
    """Names of the checks that warn: on the rows of the batch, of a table that was made anew on all that it holds."""
    rows = model.relation if anew and not model.transient else _rows(model)
    warnings = []
    for check in model.checks:
        found = _offending(connection, model, check, rows, near)
        if found and check.fails:
            raise CheckFailed(check.name, found)
        if found:
            warnings.append(check.name)
    return warnings


def _offending(connection: duckdb.DuckDBPyConnection, model: Model, check: Check, rows: str, near: Near) -> int:
    try:
        return _count(connection, f"({near.sql(check.sql.replace(model.relation, rows))})")
    except duckdb.Error as error:
        raise ModelFailed(model.name, f"check {check.name}: {safe_text(error)}") from None


def _count(connection: duckdb.DuckDBPyConnection, source: str) -> int:
    row = connection.execute(f"select count(*) from {source}").fetchone()
    return int(row[0]) if row else 0
