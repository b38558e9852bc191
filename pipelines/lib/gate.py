"""Great Expectations at the gate from the feed: rules over bronze entries, evaluated without seeing their content."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from kmis.clock import Clock
from kmis.settings import Settings
from pipelines.lib.readers import open_reader

LOOKED_AT = timedelta(days=1)
SOURCE, ASSET, SUITE = "bronze", "change", "feed"


@dataclass(frozen=True, slots=True)
class Rule:
    """One expectation: the class in Great Expectations and its arguments."""

    name: str
    says: str
    expectation: str
    arguments: dict[str, Any]


RULES = (
    Rule("key_present", "Every entry names a row.", "ExpectColumnValuesToNotBeNull", {"column": "key"}),
    Rule("table_present", "Every entry names a table.", "ExpectColumnValuesToNotBeNull", {"column": "table_name"}),
    Rule(
        "operation_known", "The operation is I, U or D.", "ExpectColumnValuesToBeInSet",
        {"column": "operation", "value_set": ["I", "U", "D"]},
    ),
    Rule("entry_once", "No entry is loaded twice.", "ExpectColumnValuesToBeUnique", {"column": "feed_id"}),
    Rule(
        "not_in_future", "No entry was recorded in the future.", "ExpectColumnValuesToBeInSet",
        {"column": "in_future_flag", "value_set": [False]},
    ),
    Rule(
        "images_parse", "Images are JSON objects.", "ExpectColumnValuesToBeInSet",
        {"column": "images_parse_flag", "value_set": [True]},
    ),
    Rule(
        "images_fit", "Insert has a new image, delete an old one, update both.", "ExpectColumnValuesToBeInSet",
        {"column": "images_fit_flag", "value_set": [True]},
    ),
    Rule(
        "key_kept", "The images carry the entry's key.", "ExpectColumnValuesToBeInSet",
        {"column": "key_kept_flag", "value_set": [True]},
    ),
)  # fmt: skip

ENTRIES = """
select
    feed_id, table_name, key, operation, recorded_at > ? as in_future_flag,
    coalesce(json_type(try_cast(new_row as json)) = 'OBJECT', new_row is null)
        and coalesce(json_type(try_cast(old_row as json)) = 'OBJECT', old_row is null) as images_parse_flag,
    (new_row is not null) = (operation <> 'D') and (old_row is not null) = (operation <> 'I') as images_fit_flag,
    coalesce(try_cast(try_cast(new_row as json) ->> 'id' as bigint), key) = key
        and coalesce(try_cast(try_cast(old_row as json) ->> 'id' as bigint), key) = key as key_kept_flag
from lake.bronze.change
where recorded_at > ?
"""


@dataclass(frozen=True, slots=True)
class Look:
    """What one look found: each rule by name, the entries looked at, and the page that shows it."""

    results: dict[str, bool]
    entries: int
    docs: Path


def look(settings: Settings, clock: Clock) -> Look:
    """Evaluates the rules over the entries of the last day and renews Data Docs under ``home/quality``."""
    now = clock.now()
    with open_reader(settings) as reader:
        frame = reader.connection.execute(ENTRIES, [now + timedelta(minutes=5), now - LOOKED_AT]).df()
    # Asked of the environment at import; nothing is reported to anybody.
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    import great_expectations as gx
    from great_expectations.checkpoint.actions import UpdateDataDocsAction

    home = settings.root / "quality"
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    context = gx.get_context(mode="file", project_root_dir=home)
    source = context.data_sources.add_or_update_pandas(SOURCE)
    batch = source.add_dataframe_asset(ASSET).add_batch_definition_whole_dataframe("entries")
    suite = context.suites.add_or_update(
        gx.ExpectationSuite(
            SUITE,
            expectations=[
                getattr(gx.expectations, rule.expectation)(**rule.arguments, meta={"rule": rule.name}) for rule in RULES
            ],
        )
    )
    definition = context.validation_definitions.add_or_update(
        gx.ValidationDefinition(name=SUITE, data=batch, suite=suite)
    )
    checkpoint = context.checkpoints.add_or_update(
        gx.Checkpoint(
            name=SUITE,
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
    docs = home / "gx" / "uncommitted" / "data_docs" / "local_site" / "index.html"
    return Look(results, len(frame), docs)
