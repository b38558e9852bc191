"""A verification keeps its snapshot from expiry for as long as it reads, and no longer."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from kmis.clock import SystemClock
from pipelines.lib import verify as verification
from pipelines.lib.passes import Passes
from pipelines.lib.project import Project
from tests.pipelines.conftest import Installation

PINS = "select string_agg(snapshot_id::text || ' ' || reason, ',' order by id) from snapshot_pin"


def watched(monkeypatch: pytest.MonkeyPatch, installation: Installation, then: Callable[[], None]) -> list[object]:
    """The pins that stand while a verification reads bronze, after which ``then`` is called."""
    pins: list[object] = []
    read = verification.bronze_findings

    def reading(*arguments: object) -> object:
        pins.append(installation.value(PINS))
        then()
        return read(*arguments)  # type: ignore[arg-type]  # handed on as they came

    monkeypatch.setattr(verification, "bronze_findings", reading)
    return pins


def test_the_snapshot_is_pinned_while_it_is_read(
    installation: Installation, passes: Passes, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    installation.visit()
    passes.refresh()
    installation.change(
        "insert into snapshot_pin (snapshot_id, reason, pinned_at) values"
        " (1, 'verification', now() - interval '21 hours'), (2, 'verification', now() - interval '1 hour'),"
        " (3, 'unload', now() - interval '21 hours')"
    )
    pins = watched(monkeypatch, installation, lambda: None)
    found = verification.verify(installation.settings, project, SystemClock())
    assert found.ok
    assert pins == [f"2 verification,3 unload,{found.snapshot_id} verification"]
    assert installation.value(PINS) == "2 verification,3 unload", "what a killed one left goes after a time"


def test_a_verification_that_fails_leaves_no_pin(
    installation: Installation, passes: Passes, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    installation.visit()
    passes.refresh()

    def fail() -> None:
        raise RuntimeError("the disk is gone")

    pins = watched(monkeypatch, installation, fail)
    with pytest.raises(RuntimeError, match="the disk is gone"):
        verification.verify(installation.settings, project, SystemClock())
    assert len(pins) == 1
    assert installation.value(PINS) is None
    assert installation.value("select error from lake_pass where kind = 'verification'") is not None
