"""ORU^R01 over MLLP: what is recorded, what is refused, and what the sender is told."""

from __future__ import annotations

import socket
from decimal import Decimal
from pathlib import Path

import pytest

from kmis.settings import Settings
from tests.device_ingest.conftest import Laboratory
from tests.device_ingest.messages import oru, wbc
from tests.device_ingest.running import BEGIN, END, Sender, mllp_listener


def message_of(laboratory: Laboratory, control: str) -> dict[str, object]:
    found = laboratory.rows("select * from device_message where control_id = %s order by id", control)
    assert len(found) == 1
    return found[0]


def results_of(laboratory: Laboratory, patient: int) -> list[dict[str, object]]:
    return laboratory.rows(
        "select r.*, d.status as report_status, d.filler_number, d.order_id from lab_result as r"
        " join diagnostic_report as d on d.id = r.report_id"
        " where r.patient_id = %s and r.voided_at is null order by r.id",
        patient,
    )


@pytest.mark.requirement("LAB-14")
def test_results_of_an_order_are_recorded_and_acknowledged(laboratory: Laboratory, mllp: int) -> None:
    patient, iin = laboratory.person()
    order, accession = laboratory.order(patient, "laboratory", ("DV_WBC", "DV_GLU"))
    values = (
        wbc("11.2", flag="H"),
        "OBX|2|SN|GLUC^Glucose^L||<^2.8|mmol/L|4,1 - 5,9|LL|||F",
        "OBX|3|CE|NEW^New test^L||POS^Positive^L||||||F",
        "OBX|4|ST|DV_TXT^Comment^L||yellow||||||F",
        "OBX|5|TX|T2^Long text^L||first~second||||||P",
    )
    with Sender(mllp) as sender:
        answer = sender.send(oru("R1", iin=iin, placer=accession, filler="F-1", values=values))
    assert "MSA|AA|R1" in answer and "ERR" not in answer
    assert "KMIS" in answer.split("\r")[0] and iin not in answer
    row = message_of(laboratory, "R1")
    assert (row["status"], row["patient_id"], row["order_id"], row["matched_by"]) == (
        "matched", patient, order, "accession",
    )  # fmt: skip
    assert (laboratory.settings.root / str(row["raw_path"])).is_file()
    first, glucose, coded, text, long_text = results_of(laboratory, patient)
    assert (first["test_code"], first["value_number"], first["interpretation"]) == ("DV_WBC", Decimal("11.2"), "H")
    assert (first["unit"], first["reference_low"], first["reference_high"]) == ("10*9/L", Decimal(4), Decimal(9))
    assert (glucose["test_code"], glucose["value_number"], glucose["comparator"]) == ("DV_GLU", Decimal("2.8"), "<")
    assert (coded["test_code"], coded["device_code"], coded["value_text"]) == (None, "NEW", "Positive")
    assert (text["test_code"], text["value_kind"], text["value_text"]) == ("DV_TXT", "text", "yellow")
    assert (long_text["value_text"], long_text["status"]) == ("first\nsecond", "preliminary")
    assert laboratory.rows("select status from diagnostic_order where id = %s", order)[0]["status"] == "completed"


def test_the_same_message_again_is_accepted_and_recorded_once(laboratory: Laboratory, mllp: int) -> None:
    patient, iin = laboratory.person()
    message = oru("R2", iin=iin, filler="F-2")
    with Sender(mllp) as sender:
        assert "MSA|AA|R2" in sender.send(message)
        assert "MSA|AA|R2" in sender.send(message)
    assert message_of(laboratory, "R2")["matched_by"] == "iin"
    assert len(results_of(laboratory, patient)) == 1


def test_a_correction_changes_the_report_of_its_number(laboratory: Laboratory, mllp: int) -> None:
    patient, iin = laboratory.person()
    with Sender(mllp) as sender:
        sender.send(oru("R3", iin=iin, filler="F-3", values=(wbc("5.6"), "OBX|2|NM|718-7^Hb^LN||120|g/L||N|||F")))
        answer = sender.send(
            oru("R4", iin=iin, filler="F-3", status="C", issued="20261120100000",
                values=(wbc("15.6", flag="H", status="C"), "OBX|2|NM|718-7^Hb^LN||||||||D"))
        )  # fmt: skip
        older = sender.send(oru("R5", iin=iin, filler="F-3", values=(wbc("1.0"),), issued="20261120080000"))
    assert "MSA|AA|R4" in answer and "MSA|AA|R5" in older
    (result,) = results_of(laboratory, patient)
    assert (result["value_number"], result["status"], result["report_status"]) == (
        Decimal("15.6"), "corrected", "corrected",
    )  # fmt: skip
    withdrawn = laboratory.rows("select * from lab_result where patient_id = %s and voided_at is not null", patient)
    assert [row["test_code"] for row in withdrawn] == ["DV_HGB"]


def test_a_preliminary_result_becomes_final_and_not_the_other_way(laboratory: Laboratory, mllp: int) -> None:
    patient, iin = laboratory.person()
    order, accession = laboratory.order(patient, "laboratory", ("DV_WBC",))
    with Sender(mllp) as sender:
        sender.send(oru("R6", iin=iin, placer=accession, filler="F-6", status="P", values=(wbc("5.0", status="P"),)))
        state = laboratory.rows("select status from diagnostic_order where id = %s", order)[0]["status"]
        sender.send(oru("R7", iin=iin, placer=accession, filler="F-6", values=(wbc("5.1"),)))
        sender.send(oru("R8", iin=iin, placer=accession, filler="F-6", status="P", values=(wbc("4.9", status="P"),)))
    assert state == "in_progress"
    (result,) = results_of(laboratory, patient)
    assert (result["value_number"], result["status"], result["report_status"]) == (Decimal("5.1"), "final", "final")
    assert laboratory.rows("select status from diagnostic_order where id = %s", order)[0]["status"] == "completed"


@pytest.mark.parametrize(
    ("control", "stated", "problem"), [("U1", "", "unknown_patient"), ("U2", "999999999999", "unknown_patient")]
)
def test_a_message_of_nobody_known_waits_in_the_inbox(
    laboratory: Laboratory, mllp: int, control: str, stated: str, problem: str
) -> None:
    with Sender(mllp) as sender:
        assert f"MSA|AA|{control}" in sender.send(oru(control, iin=stated, filler=control))
    row = message_of(laboratory, control)
    assert (row["status"], row["problem"], row["patient_id"]) == ("unmatched", problem, None)
    assert isinstance(row["stated"], dict) and row["stated"]["person"]["surname"] == "ҚҰРЫЛҒЫБАЕВА"


def test_an_order_of_one_person_with_the_number_of_another_matches_nobody(laboratory: Laboratory, mllp: int) -> None:
    patient, _ = laboratory.person()
    other, iin = laboratory.person()
    _, accession = laboratory.order(patient, "laboratory")
    with Sender(mllp) as sender:
        assert "MSA|AA|U3" in sender.send(oru("U3", iin=iin, placer=accession, filler="U3"))
    assert message_of(laboratory, "U3")["problem"] == "order_and_iin_differ"
    assert not results_of(laboratory, patient) and not results_of(laboratory, other)


def test_a_number_that_was_somebody_elses_report_matches_nobody(laboratory: Laboratory, mllp: int) -> None:
    _, first = laboratory.person()
    other, second = laboratory.person()
    with Sender(mllp) as sender:
        sender.send(oru("U4", iin=first, filler="F-TWICE"))
        assert "MSA|AA|U5" in sender.send(oru("U5", iin=second, filler="F-TWICE"))
    assert message_of(laboratory, "U5")["problem"] == "filler_taken"
    assert not results_of(laboratory, other)


def test_an_order_that_another_organisation_has_is_not_matched(
    laboratory: Laboratory, world: dict[str, int], mllp: int
) -> None:
    patient, _ = laboratory.person()
    _, accession = laboratory.order(patient, "laboratory", owner_organisation_id=world["polyclinic"])
    with Sender(mllp) as sender:
        sender.send(oru("U6", placer=accession, filler="U6"))
    assert message_of(laboratory, "U6")["status"] == "unmatched"


BROKEN = (
    ("Q1", oru("Q1", iin="1")[:-60], "AE", "truncated"),
    ("Q2", oru("Q2", iin="1", values=("OBX|1|NM|6690-2^L^LN",)), "AE", "truncated"),
    ("Q3", oru("Q3").replace("ҚҰРЫЛҒЫБАЕВА".encode(), "Иванова".encode("cp1251")), "AE", "charset"),
    ("Q4", oru("Q4", charset="KOI7"), "AE", "charset"),
    ("Q5", oru("Q5", values=("OBX|1|NM|6690-2^L^LN||||||||X",)), "AE", "no_values"),
    ("Q6", oru("Q6").replace(b"ORU^R01^ORU_R01", b"ADT^A01"), "AR", "unsupported_type"),
    ("Q7", oru("Q7", version="2.9"), "AR", "unsupported_version"),
    ("Q8", oru("Q8", sender="NOBODY|NOWHERE"), "AR", "unknown_sender"),
    ("Q9", oru("Q9", issued="20261399"), "AE", "malformed"),
    ("Q10", oru("Q10", values=("OBX|1|ED|6690-2^L^LN||x||||||F",)), "AE", "malformed"),
    ("Q11", oru("Q11").replace(b"OBR|", b"XXX|"), "AE", "malformed"),
    ("Q12", oru("Q12").replace(b"|P|2.5.1", b"|T|2.5.1"), "AR", "unsupported_type"),
    ("Q13", oru("Q13").replace(b"Blood count", b"Blood\x00count"), "AE", "malformed"),
)


@pytest.mark.parametrize(("control", "message", "code", "problem"), BROKEN, ids=[row[0] for row in BROKEN])
def test_what_cannot_be_read_is_refused_with_the_reason_and_kept(
    laboratory: Laboratory, mllp: int, control: str, message: bytes, code: str, problem: str
) -> None:
    with Sender(mllp) as sender:
        answer = sender.send(message)
        assert "MSA|AA|OK" in sender.send(oru("OK", filler="OK"))
    assert f"MSA|{code}|{control}" in answer and "\rERR|" in answer
    row = message_of(laboratory, control)
    assert (row["status"], row["problem"]) == ("quarantined", problem)
    assert (laboratory.settings.root / str(row["raw_path"])).read_bytes() == message


def test_the_reason_stands_in_the_form_of_the_senders_version(laboratory: Laboratory, mllp: int) -> None:
    with Sender(mllp) as sender:
        new = sender.send(oru("V1", issued="x"))
        old = sender.send(oru("V2", issued="x", version="2.3"))
    assert "ERR||OBR^1^22|102^^HL70357|E||||not a time" in new
    assert "ERR|OBR^1^22^102&not a time&HL70357" in old


def test_the_character_set_registered_with_the_device_is_read(laboratory: Laboratory, mllp: int) -> None:
    message = oru("C1", sender="OLD|LAB", charset="", filler="C1").decode().replace("ҚҰРЫЛҒЫБАЕВА", "Иванова")
    message = message.replace("СЫНАҚГҮЛ", "Анна")
    with Sender(mllp) as sender:
        assert "MSA|AA|C1" in sender.send(message.encode("cp1251"))
    stated = message_of(laboratory, "C1")["stated"]
    assert isinstance(stated, dict) and stated["person"]["surname"] == "Иванова"


def test_five_megabytes_are_refused_and_kept_and_the_connection_stays(laboratory: Laboratory, mllp: int) -> None:
    text = "OBX|1|TX|LONG^x^L||" + "x" * 5_000_000 + "||||||F"
    message = oru("BIG", values=(text,))
    with Sender(mllp) as sender:
        answer = sender.send(message)
        assert "MSA|AA|SMALL" in sender.send(oru("SMALL", filler="SMALL"))
    assert "MSA|AR|BIG" in answer and "longer than this system accepts" in answer
    row = message_of(laboratory, "BIG")
    assert (row["status"], row["problem"], row["raw_bytes"]) == ("quarantined", "too_large", len(message))
    assert (laboratory.settings.root / str(row["raw_path"])).read_bytes() == message


def test_bytes_outside_a_frame_are_kept_and_the_next_message_is_taken(laboratory: Laboratory, mllp: int) -> None:
    noise = f"GET / HTTP/1.1 {laboratory.serial()}".encode()
    with Sender(mllp) as sender:
        sender.socket.sendall(noise + BEGIN + oru("N1", filler="N1") + END)
        refused, accepted = sender.answer(), sender.answer()
    assert "MSA|AR" in refused and "MSA|AA|N1" in accepted
    kept = laboratory.rows("select * from device_message where problem = 'malformed' and raw_bytes = %s", len(noise))
    assert [Path(row["raw_path"]).suffix for row in kept] == [".loose"]


def test_a_message_that_its_sender_never_ends_is_kept_as_cut_short(laboratory: Laboratory, mllp: int) -> None:
    with Sender(mllp) as sender:
        sender.socket.sendall(BEGIN + oru("H1", filler="H1"))
        sender.socket.shutdown(socket.SHUT_WR)
        answer = sender.answer()
    assert "MSA|AE|H1" in answer
    assert message_of(laboratory, "H1")["problem"] == "truncated"


def test_many_senders_at_once_are_all_answered(laboratory: Laboratory, mllp: int) -> None:
    senders = [Sender(mllp) for _ in range(24)]
    for number, sender in enumerate(senders):
        sender.socket.sendall(BEGIN + oru(f"M{number}", filler=f"M{number}") + END)
    answers = [sender.answer() for sender in senders]
    for sender in senders:
        sender.socket.close()
    assert all(f"MSA|AA|M{number}" in answer for number, answer in enumerate(answers))


def test_a_sender_that_falls_silent_and_one_too_many_are_cut_off(laboratory: Laboratory, settings: Settings) -> None:
    strict = settings.model_copy(update={"mllp_idle_seconds": 1, "mllp_connections": 2})
    with mllp_listener(strict) as port, Sender(port) as silent, Sender(port) as busy:
        silent.socket.sendall(BEGIN + oru("SILENT")[:80])
        assert "MSA|AA|BUSY" in busy.send(oru("BUSY", filler="BUSY"))
        with Sender(port) as third, pytest.raises(ConnectionError):
            third.answer()
        assert "MSA|AE|SILENT" in silent.answer()
        with pytest.raises(ConnectionError):
            silent.answer()
        assert "MSA|AA|BUSY2" in busy.send(oru("BUSY2", filler="BUSY2"))
