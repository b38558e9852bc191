"""Nothing that was acknowledged is lost, and nothing is recorded twice: crashes, and a store that does not answer."""

from __future__ import annotations

import os
import signal

import psycopg
import pytest
from sqlalchemy import create_engine

from device_ingest import gateway as gateway_module
from device_ingest.gateway import Gateway
from device_ingest.hl7v2.handling import Handler
from device_ingest.hl7v2.mllp import Arrived, Framer, Limits
from device_ingest.spool import Spool, write_file
from operational.domains.orders import receiving
from tests.device_ingest.conftest import Laboratory
from tests.device_ingest.messages import oru
from tests.device_ingest.running import BEGIN, END, Sender, process

DIES_BEFORE_COMMIT = """
import os, signal
from device_ingest.gateway import Gateway
Gateway.record_report = lambda *a, **k: os.kill(os.getpid(), signal.SIGKILL)
"""


def arrived(handler: Handler, message: bytes) -> Arrived:
    limits = Limits(1_000_000, 2_000_000, 5, 5)
    (found,) = Framer(limits, handler.spool.pending).feed(BEGIN + message + END)
    return found


def count(laboratory: Laboratory, patient: int) -> int:
    return len(laboratory.rows("select 1 from lab_result where patient_id = %s", patient))


def test_a_process_killed_before_its_commit_records_the_message_at_the_next_start(laboratory: Laboratory) -> None:
    patient, iin = laboratory.person()
    message = oru("K1", iin=iin, filler="K1")
    with (
        process(laboratory.settings, "device_ingest.hl7v2", DIES_BEFORE_COMMIT) as (port, _),
        Sender(port) as sender,
        pytest.raises(ConnectionError),
    ):
        sender.send(message)
    assert count(laboratory, patient) == 0
    handler = Handler(Gateway(laboratory.settings))
    assert [kept.path.read_bytes() for kept in handler.spool.waiting()] == [message]
    with process(laboratory.settings, "device_ingest.hl7v2") as (port, _), Sender(port) as sender:
        assert "MSA|AA|K1" in sender.send(message)
    assert count(laboratory, patient) == 1
    assert not list(handler.spool.waiting())


def test_a_process_killed_after_its_commit_records_nothing_twice(laboratory: Laboratory) -> None:
    patient, iin = laboratory.person()
    with process(laboratory.settings, "device_ingest.hl7v2") as (port, pid), Sender(port) as sender:
        assert "MSA|AA|K2" in sender.send(oru("K2", iin=iin, filler="K2"))
        os.kill(pid, signal.SIGKILL)
    handler = Handler(Gateway(laboratory.settings))
    (row,) = laboratory.rows("select raw_path from device_message where control_id = 'K2'")
    path = laboratory.settings.root / row["raw_path"]
    (handler.spool.pending / path.name).hardlink_to(path)
    assert handler.recover() == 1
    assert count(laboratory, patient) == 1


def test_while_the_store_is_down_the_sender_is_told_and_the_message_is_taken_up_later(
    laboratory: Laboratory, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    patient, iin = laboratory.person()
    handler = Handler(Gateway(laboratory.settings))
    nowhere = create_engine("postgresql+psycopg://kmis_app@127.0.0.1:1/kmis", connect_args={"connect_timeout": 2})
    with monkeypatch.context() as patched:
        patched.setattr(gateway_module, "engine", lambda settings, **_: nowhere)
        answer = handler.handle(arrived(handler, oru("S1", iin=iin, filler="S1"))).decode()
        cut = Framer(Limits(1000, 1000, 5, 5), handler.spool.pending)
        assert not list(cut.feed(BEGIN + oru("S2", iin=iin, filler="S2")))
        rest = cut.rest()
        assert rest is not None and "MSA|AE|S2" in handler.handle(rest).decode()
        assert handler.recover() == 0
    assert "MSA|AE|S1" in answer and "send again" in answer
    assert len(list(handler.spool.waiting())) == 2
    assert handler.recover() == 2
    assert count(laboratory, patient) == 1
    (cut_short,) = laboratory.rows("select problem from device_message where control_id = 'S2'")
    assert cut_short["problem"] == "truncated"
    assert iin not in caplog.text


def test_a_file_that_a_crash_cut_short_is_removed_and_a_lost_place_is_made_anew(laboratory: Laboratory) -> None:
    spool = Spool(laboratory.settings.root, "tried", ".hl7")
    (spool.pending / ".999999999-x").write_bytes(b"half")
    write_file(spool.pending / "abc.hl7", (b"whole",))
    (kept,) = spool.waiting()
    assert kept.path.parent.parent.parent.parent == spool.folder and kept.path.read_bytes() == b"whole"
    assert not (spool.pending / ".999999999-x").exists()
    spool.done(kept)
    assert not list(spool.waiting()) and kept.path.exists()


def test_a_row_that_breaks_a_constraint_leaves_the_message_in_quarantine(
    laboratory: Laboratory, monkeypatch: pytest.MonkeyPatch
) -> None:
    handler = Handler(Gateway(laboratory.settings))

    def refuse(*_: object) -> None:
        raise psycopg.DataError("numeric field overflow")

    monkeypatch.setattr(receiving, "record_report", refuse)
    answer = handler.handle(arrived(handler, oru("D1", filler="D1"))).decode()
    assert "MSA|AE|D1" in answer and "out of range" in answer
    (row,) = laboratory.rows("select status, problem from device_message where control_id = 'D1'")
    assert (row["status"], row["problem"]) == ("quarantined", "refused_by_store")
