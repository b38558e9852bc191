"""Great Expectations at the gates where data enter, evaluated over keys, codes and yes/no columns only.

A gate is one frame out of bronze with its rules. The frames hold no identifier and results are BOOLEAN_ONLY, so
no value of a person can reach a result or a page.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from kmis.clock import Clock
from kmis.settings import Settings
from pipelines.lib.readers import open_reader

LOOKED_AT = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Rule:
    """One expectation: the class in Great Expectations and its arguments."""

    name: str
    says: str
    expectation: str
    arguments: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Gate:
    """One gate: ``query`` gives its frame, with the moment five minutes ahead and the first moment looked at."""

    name: str
    query: str
    rules: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class Look:
    """What one look found: each rule by name, the entries looked at, and the page that shows it."""

    results: dict[str, bool]
    entries: int
    docs: Path


def look(settings: Settings, clock: Clock, gates: Sequence[Gate]) -> dict[str, Look]:
    """Evaluates the gates over what entered in the last day, renews Data Docs under ``home/quality``, notes it."""
    now = clock.now()
    with open_reader(settings) as reader:
        frames = {
            gate.name: reader.connection.execute(gate.query, [now + timedelta(minutes=5), now - LOOKED_AT]).df()
            for gate in gates
        }
    # Asked of the environment at import; nothing is reported to anybody.
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    import great_expectations as gx

    home = settings.root / "quality"
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    context = gx.get_context(mode="file", project_root_dir=home)
    docs = home / "gx" / "uncommitted" / "data_docs" / "local_site" / "index.html"
    looks = {
        gate.name: Look(_results(gx, context, gate, frames[gate.name]), len(frames[gate.name]), docs) for gate in gates
    }
    with psycopg.connect(settings.dsn("kmis_writer"), autocommit=True) as store:
        for name, found in looks.items():
            broken = sorted(rule for rule, kept in found.results.items() if not kept)
            store.execute(
                "insert into gate_look (gate, at, entries, rules, broken) values (%s, %s, %s, %s, %s)",
                (name, now, found.entries, len(found.results), Jsonb(broken)),
            )
    return looks


def _results(gx: Any, context: Any, gate: Gate, frame: Any) -> dict[str, bool]:
    """Each rule of the gate by name, whether the frame keeps it."""
    from great_expectations.checkpoint.actions import UpdateDataDocsAction

    source = context.data_sources.add_or_update_pandas(gate.name)
    batch = source.add_dataframe_asset("entries").add_batch_definition_whole_dataframe("entries")
    expectations = [
        getattr(gx.expectations, rule.expectation)(**rule.arguments, meta={"rule": rule.name}) for rule in gate.rules
    ]
    suite = context.suites.add_or_update(gx.ExpectationSuite(gate.name, expectations=expectations))
    definition = context.validation_definitions.add_or_update(
        gx.ValidationDefinition(name=gate.name, data=batch, suite=suite)
    )
    checkpoint = context.checkpoints.add_or_update(
        gx.Checkpoint(
            name=gate.name,
            validation_definitions=[definition],
            actions=[UpdateDataDocsAction(name="pages")],
            result_format="BOOLEAN_ONLY",
        )
    )
    outcome = checkpoint.run(batch_parameters={"dataframe": frame})
    results: dict[str, bool] = {}
    for run in outcome.run_results.values():
        for result in run.results:
            rule = (result.expectation_config.meta or {})["rule"] if result.expectation_config else ""
            results[str(rule)] = bool(result.success)
    return results
