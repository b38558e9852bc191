"""The compiled dbt project as the writer executes it: models in order, their checks, and what moves each of them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.lib.dbt_runner import DbtRunner
from pipelines.lib.errors import PassRefused

FROM_XID = "getvariable('from_xid')"
TO_XID = "getvariable('to_xid')"
STAGING_NAME = re.compile(r"^stg_[a-z0-9]+__(?P<table>\w+)$")


class ModelUnsupported(PassRefused):
    """A model or check uses what a pass cannot execute; the message says which and what."""


@dataclass(frozen=True, slots=True)
class Check:
    """A data test of one model, as SQL that selects the offending rows."""

    name: str
    sql: str
    fails: bool


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """How a fact is counted on either side; each statement gives one row: count, control total."""

    source: str
    gold: str


@dataclass(frozen=True, slots=True)
class Model:
    """One table of the lake. ``sql`` reads the batch's bounds from the variables from_xid and to_xid."""

    name: str
    schema: str
    sql: str
    keys: tuple[str, ...]
    partition_by: str | None
    parents: tuple[str, ...]
    feed_tables: frozenset[str]
    checks: tuple[Check, ...]
    serve: bool
    transient: bool
    reconciliation: Reconciliation | None
    checksum: str

    @property
    def relation(self) -> str:
        """The table's name in SQL, as dbt renders it."""
        return f'"lake"."{self.schema}"."{self.name}"'

    @property
    def reads_feed(self) -> bool:
        """Whether it looks into the batch's entries itself, not only into what its parents made of them."""
        return '"bronze"."change"' in self.sql

    @property
    def batch(self) -> str:
        """The temporary table that holds the batch's rows of this model."""
        return f'"batch_{self.name}"'


@dataclass(frozen=True)
class Project:
    """All models, parents first."""

    models: tuple[Model, ...]

    def affected(self, tables: Iterable[str], rebuilt: Iterable[str]) -> list[Model]:
        """The models to run when these operational tables changed and these models are made anew, parents first."""
        touched, again = frozenset(tables), set(rebuilt)
        chosen: set[str] = set()
        wanted: set[str] = set()
        for model in reversed(self.models):
            # A transient model has no rows but those of the batch: its readers find none of an earlier one.
            if model.name in again or model.feed_tables & touched or (model.transient and model.name in wanted):
                chosen.add(model.name)
                wanted.update(model.parents)
        return [model for model in self.models if model.name in chosen]

    def outdated(self, known: Mapping[str, str]) -> list[str]:
        """Names of models whose SQL is new or differs from what built the table, and all that read them."""
        names: set[str] = set()
        for model in self.models:
            if known.get(model.name) != model.checksum or names.intersection(model.parents):
                names.add(model.name)
        # A transient model holds one batch: its reader, made from the beginning, needs it from the beginning.
        for model in reversed(self.models):
            if model.transient and any(model.name in reader.parents for reader in self.models if reader.name in names):
                names.add(model.name)
        return [model.name for model in self.models if model.name in names]

    @property
    def served(self) -> list[Model]:
        """The models that have a serving file."""
        return [model for model in self.models if model.serve]


def compile_project(runner: DbtRunner) -> Project:
    """Compiles the dbt project once for all passes. Raises DbtFailed, ModelUnsupported."""
    nodes = runner.compile(FROM_XID, TO_XID)
    checks: dict[str, list[Check]] = {}
    for node in nodes:
        if node.resource_type == "test" and getattr(node, "attached_node", None):
            checks.setdefault(node.attached_node, []).append(_check(node))
    # An ephemeral model is in the manifest only: its SQL stands inside that of the models that read it.
    by_id = {key: node for key, node in runner.manifest().nodes.items() if node.resource_type == "model"}
    by_id.update({node.unique_id: node for node in nodes if node.resource_type == "model"})
    seeds = {key: node for key, node in runner.manifest().nodes.items() if node.resource_type == "seed"}
    by_id.update(seeds)
    order: dict[str, Model] = {}

    def visit(unique_id: str) -> None:
        node = by_id[unique_id]
        if unique_id in seeds:
            order[unique_id] = _seed(node, runner.project, checks.get(unique_id, []))
            return
        if unique_id in order:
            return
        parents = [parent for parent in node.depends_on.nodes if parent in by_id]
        for parent in parents:
            visit(parent)
        order[unique_id] = _model(node, [order[parent] for parent in parents], checks.get(unique_id, []))

    for unique_id in sorted(by_id):
        visit(unique_id)
    return Project(tuple(model for model in order.values() if model.sql))


def _check(node: Any) -> Check:
    config = node.config
    default = (str(config.fail_calc), str(config.error_if), str(config.warn_if)) == ("count(*)", "!= 0", "!= 0")
    if not default:
        raise ModelUnsupported(f"check {node.name}: fail_calc, error_if and warn_if keep their defaults")
    return Check(str(node.name), str(node.compiled_code), str(config.severity).lower() == "error")


def _seed(node: Any, project: Path, checks: list[Check]) -> Model:
    file = project / node.original_file_path
    types = ", ".join(f"'{name}': '{kind}'" for name, kind in sorted(node.config.column_types.items()))
    typed = f", types = {{{types}}}" if types else ""
    place = str(file).replace("'", "''")
    content = hashlib.sha256(file.read_bytes()).hexdigest()
    return Model(
        name=str(node.name),
        schema=str(node.schema),
        sql=f"select * from read_csv('{place}', header = true{typed})",
        keys=(),
        partition_by=None,
        parents=(),
        feed_tables=frozenset(),
        checks=tuple(sorted(checks, key=lambda check: check.name)),
        serve=bool((node.config.meta or {}).get("serve")),
        transient=False,
        reconciliation=None,
        checksum=hashlib.sha256(repr((content, types)).encode()).hexdigest(),
    )


def _model(node: Any, parents: list[Model], checks: list[Check]) -> Model:
    config = node.config
    materialized = str(config.materialized)
    if materialized not in ("keyed", "ephemeral"):
        raise ModelUnsupported(f"model {node.name}: materialized {materialized}; a pass keeps `keyed` models")
    meta = dict(config.meta or {})
    keys = config.unique_key or ()
    keys = (keys,) if isinstance(keys, str) else tuple(keys)
    named = STAGING_NAME.match(str(node.name))
    if "feed_tables" in meta:
        tables = frozenset(meta["feed_tables"])
    elif named:
        tables = frozenset({named["table"]})
    else:
        tables = frozenset().union(*(parent.feed_tables for parent in parents))
    reconcile = meta.get("reconcile")
    partition_by = config.get("partition_by")
    sql = "" if materialized == "ephemeral" else str(node.compiled_code).strip()
    return Model(
        name=str(node.name),
        schema=str(node.schema),
        sql=sql,
        keys=keys,
        partition_by=partition_by,
        parents=tuple(_real_parents(parents)),
        feed_tables=tables,
        checks=tuple(sorted(checks, key=lambda check: check.name)),
        serve=bool(meta.get("serve")),
        transient=bool(meta.get("transient")),
        reconciliation=Reconciliation(reconcile["source"], reconcile["gold"]) if reconcile else None,
        checksum=hashlib.sha256(
            repr((str(node.schema), sql, keys, partition_by, bool(meta.get("transient")))).encode()
        ).hexdigest(),
    )


def _real_parents(parents: Iterable[Model]) -> set[str]:
    names: set[str] = set()
    for parent in parents:
        names.update([parent.name] if parent.sql else parent.parents)
    return names
