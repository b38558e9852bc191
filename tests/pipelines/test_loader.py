"""Feed to bronze: exactly once, never a transaction skipped, never an older image over a newer one."""

from __future__ import annotations

import pytest

from operational.migrate import open_epoch
from pipelines.lib import loader
from pipelines.lib.errors import LakeKnowsMore, PassRefused
from pipelines.lib.passes import Passes
from pipelines.lib.workshop import Workshop
from tests.pipelines.conftest import Installation, rows


def feed_ids(workshop: Workshop) -> list[int]:
    return [row[0] for row in rows(workshop, "select feed_id from lake.bronze.change order by feed_id")]


def load_all(workshop: Workshop) -> None:
    while loader.load(workshop):
        pass


def test_every_entry_is_loaded_once(installation: Installation, workshop: Workshop) -> None:
    load_all(workshop)
    installation.visit()
    load_all(workshop)
    load_all(workshop)
    expected = installation.value("select array_agg(id order by id) from change_feed")
    assert feed_ids(workshop) == expected
    watermark = loader.read_watermark(workshop.lake)
    assert watermark is not None
    assert watermark.xid == installation.value("select max(xid::text::bigint) from change_feed")


def test_a_slow_transaction_holds_the_watermark_and_is_not_skipped(
    installation: Installation, workshop: Workshop
) -> None:
    with installation.connect() as slow:
        early = installation.visit(slow)
        late = installation.visit()
        load_all(workshop)
        loaded = rows(workshop, "select key from lake.bronze.change where table_name = 'encounter'")
        assert loaded == []
        slow.commit()
    load_all(workshop)
    loaded = rows(workshop, "select key from lake.bronze.change where table_name = 'encounter' order by key")
    assert [row[0] for row in loaded] == sorted([early, late])


def test_an_image_that_comes_late_does_not_cover_a_newer_one(
    installation: Installation, workshop: Workshop, passes: Passes
) -> None:
    """A: low id, writes last. B: higher id, wrote first. C between them stays open, so A is loaded before B."""
    visit = installation.visit()
    passes.refresh()
    with installation.connect() as a, installation.connect() as b, installation.connect() as c:
        for connection in (a, c, b):
            connection.execute("select pg_current_xact_id()")
        b.execute(
            "update encounter set status = 'in_progress', outcome = null, ended_at = null where id = %s", (visit,)
        )
        b.commit()
        a.execute("update encounter set status = 'finished', outcome = 'improvement', ended_at = started_at"
                  " where id = %s", (visit,))  # fmt: skip
        a.commit()
        passes.refresh()
        assert rows(workshop, "select status from lake.marts.fct_visit") == [("finished",)]
        c.commit()
    passes.refresh()
    assert rows(workshop, "select status from lake.marts.fct_visit") == [("finished",)]
    assert rows(workshop, "select count(feed_id) from lake.bronze.change where superseded") == [(1,)]


def test_a_store_that_went_back_is_refused(installation: Installation, workshop: Workshop) -> None:
    load_all(workshop)
    workshop.lake.execute("update lake.bronze.watermark set xid = xid + 1000000")
    with pytest.raises(LakeKnowsMore):
        loader.load(workshop)


def test_another_server_in_the_same_epoch_is_refused(installation: Installation, workshop: Workshop) -> None:
    load_all(workshop)
    workshop.lake.execute("update lake.bronze.watermark set system_identifier = '1'")
    with pytest.raises(PassRefused, match="another server"):
        loader.load(workshop)


def test_a_new_epoch_goes_on_above_everything_that_was_written(
    installation: Installation, workshop: Workshop, passes: Passes
) -> None:
    """As after a restore: what the old epoch left unloaded comes first, open transactions are waited for."""
    installation.visit()
    load_all(workshop)
    waiting = installation.visit()
    with installation.connect() as owner:
        epoch = open_epoch(owner, "restored")
    old = installation.value("select max(xid::text::bigint) from change_feed")
    with installation.connect() as slow:
        early = installation.visit(slow)
        installation.visit()
        load_all(workshop)
        loaded = rows(workshop, "select max(key), max(xid) from lake.bronze.change where table_name = 'encounter'")
        assert loaded == [(waiting, old)]
        slow.commit()
    load_all(workshop)
    assert feed_ids(workshop) == installation.value("select array_agg(id order by id) from change_feed")
    assert (
        installation.value(
            "select min(xid::text::bigint) from change_feed where table_name = 'encounter' and key = %s", early
        )
        > old
    )
    watermark = loader.read_watermark(workshop.lake)
    assert watermark is not None and watermark.epoch_id == epoch
    assert watermark.xid == installation.value("select max(xid::text::bigint) from change_feed")


def test_an_epoch_that_the_lake_has_not_seen_is_taken_and_an_older_one_refused(
    installation: Installation, workshop: Workshop
) -> None:
    installation.visit()
    load_all(workshop)
    workshop.lake.execute("update lake.bronze.watermark set system_identifier = '1', epoch_id = epoch_id - 1")
    installation.visit()
    load_all(workshop)
    workshop.lake.execute("update lake.bronze.watermark set epoch_id = epoch_id + 1")
    installation.visit()
    with pytest.raises(LakeKnowsMore, match="epoch"):
        loader.load(workshop)
