"""The player without its installation: the journal keeps its promise, and a server that is gone is waited for."""

from __future__ import annotations

import contextlib
import csv
import json
import socket
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import pytest

from kmis.settings import Settings
from operational.demo.live.acts import ACTS, Mix
from operational.demo.live.devices import BEGIN, END, Devices, Measured, oru
from operational.demo.live.journal import ANY, Journal, missing, read_journal, since
from operational.demo.live.player import Plan, Player
from operational.demo.live.speaking import Api, NoAnswer, Patience, Refused, Stopped
from operational.demo.loading import Loaded
from operational.demo.people import DATA

Answer = Callable[[socket.socket], None]


@contextlib.contextmanager
def listening(*answers: Answer) -> Iterator[int]:
    """A port at which each connection gets the next answer; the last one answers all that follow."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.1)
        over = threading.Event()

        def serve() -> None:
            number = 0
            while not over.is_set():
                with contextlib.suppress(TimeoutError), server.accept()[0] as connection:
                    connection.settimeout(10)
                    answers[min(number, len(answers) - 1)](connection)
                    number += 1

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield int(server.getsockname()[1])
        finally:
            over.set()
            thread.join()


def hang_up(connection: socket.socket) -> None:
    """What a process that is killed does: it took the request and answers nothing."""
    connection.recv(65536)


def acknowledge(code: str, text: str = "") -> Answer:
    """A whole HL7 acknowledgement."""

    def answer(connection: socket.socket) -> None:
        content = b""
        while END not in content:
            content += connection.recv(65536)
        connection.sendall(BEGIN + f"MSH|^~\\&|KMIS\rMSA|{code}|X|{text}\r".encode() + END)

    return answer


def closed_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def stopping_after(seconds: float) -> threading.Event:
    """A play that somebody stops."""
    stop = threading.Event()
    threading.Timer(seconds, stop.set).start()
    return stop


def test_a_journal_is_read_back_and_a_torn_line_is_dropped(tmp_path: Path) -> None:
    file = tmp_path / "run" / "live.jsonl"
    heard: list[str] = []
    journal = Journal(file, lambda entry: heard.append(entry.act))
    journal.write("visit.signed", "signed_document", {"encounter_id": 7, "version": 1})
    journal.close()
    with file.open("a") as torn:
        torn.write('{"at": "2026-01-01T00:00')
    assert [entry.act for entry in read_journal(file)] == heard == ["visit.signed"]
    again = Journal(file)
    again.write("visit.voided", "encounter", {"id": 7, "status": "entered_in_error"})
    again.close()
    assert [entry.act for entry in read_journal(file)] == ["visit.signed", "visit.voided"]
    assert read_journal(tmp_path / "none.jsonl") == []


def test_a_line_that_is_no_entry_is_not_passed_over(tmp_path: Path) -> None:
    file = tmp_path / "live.jsonl"
    file.write_text("nonsense\n")
    with pytest.raises(json.JSONDecodeError):
        read_journal(file)


def test_what_the_store_lacks_is_found(filled: tuple[Settings, Loaded], tmp_path: Path) -> None:
    own, _ = filled
    journal = Journal(tmp_path / "live.jsonl")
    there = [
        journal.write("a", "patient", {"id": 1}),
        journal.write("b", "patient", {"id": 1, "surname": ANY}),
        journal.write("c", "encounter", {"id": 1, "status": "finished"}),
        journal.write("s", "encounter", {"id": 1, "started_at": since(datetime(2000, 1, 1, tzinfo=UTC))}),
    ]
    gone = [
        journal.write("d", "patient", {"id": 99_999_999}),
        journal.write("e", "patient", {"id": 1, "merged_into_id": ANY}),
        journal.write("f", "encounter", {"id": 1, "status": "planned"}),
        journal.write("t", "encounter", {"id": 1, "started_at": since(datetime(2999, 1, 1, tzinfo=UTC))}),
    ]
    journal.close()
    assert missing(own, [*there, *gone]) == gone


def test_every_act_has_a_weight() -> None:
    mix = Mix()
    with (DATA / "live_acts.csv").open(encoding="utf-8", newline="") as file:
        assert all(float(row["weight"]) > 0 for row in csv.DictReader(file))
    assert sorted(mix.kinds) == sorted(ACTS)
    assert [mix.draw(Random(4)) for _ in range(3)] == [mix.draw(Random(4)) for _ in range(3)]


def test_a_server_that_does_not_listen_is_waited_for(tmp_path: Path) -> None:
    patience = Patience(stopping_after(0.7))
    api = Api(Settings(home=tmp_path, port=closed_port()), patience)
    with pytest.raises(Stopped):
        api.get("doctor", "/api/account")
    assert patience.retries > 1


def test_a_request_without_an_answer_is_unknown(tmp_path: Path) -> None:
    with listening(hang_up) as port:
        api = Api(Settings(home=tmp_path, port=port), Patience(threading.Event()))
        api._tokens["doctor"] = "of a session"
        with pytest.raises(NoAnswer):
            api.post("doctor", "/api/encounters", {"patient_id": 1})


def test_a_message_is_sent_again_until_it_is_acknowledged(tmp_path: Path) -> None:
    message = oru("HEMA-5|KARATOBE", "L1", "2600000001", "20260101080000", [Measured("WBC", "5.6", "10*9/L")])
    with listening(hang_up, acknowledge("AE", "the store does not answer; send again"), acknowledge("AA")) as port:
        patience = Patience(threading.Event())
        Devices(Settings(home=tmp_path, mllp_port=port), patience).send(message)
    assert patience.retries == 2


def test_a_refused_message_is_not_sent_again(tmp_path: Path) -> None:
    with listening(acknowledge("AR", "only ORU^R01 is accepted")) as port:
        devices = Devices(Settings(home=tmp_path, mllp_port=port), Patience(threading.Event()))
        with pytest.raises(Refused, match="only ORU"):
            devices.send(b"MSH|^~\\&|\r")


def test_the_player_outlives_its_server_and_promises_nothing(filled: tuple[Settings, Loaded], tmp_path: Path) -> None:
    own, _ = filled
    ports = {"port": closed_port(), "mllp_port": closed_port(), "dicom_port": closed_port()}
    down = own.model_copy(update=ports)
    journal = tmp_path / "live.jsonl"
    player = Player(down, Plan(rate=20), stopping_after(1.5), journal)
    tally = player.run()
    assert player.patience.retries > 0
    assert not tally.done and not tally.errors
    assert read_journal(journal) == []
