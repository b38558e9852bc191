"""Messages that need no judgement: the same rows as by the way that decides all cases, alone and many at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from device_ingest.gateway import Gateway
from device_ingest.hl7v2.handling import Handler
from device_ingest.hl7v2.mllp import Arrived, Limits
from tests.device_ingest.conftest import Laboratory
from tests.device_ingest.messages import oru, wbc

VALUES = (
    wbc("11.2", flag="H"),
    "OBX|2|SN|GLUC^Glucose^L||<^2.8|mmol/L|4,1 - 5,9|LL|||F",
    "OBX|3|ST|NEW^New test^L||yellow \\T\\ clear||||||P",
    "NTE|1||looked at twice",
)
ROWS = (
    "select m.status as message_status, m.matched_by, m.problem, r.status as report_status, r.category, r.source,"
    " r.collected_at, r.issued_at, r.conclusion, r.order_id is not null as ordered, o.status as order_status,"
    " o.completed_at is not null as completed, v.test_code, v.device_code, v.device_name, v.value_kind, v.value_number,"
    " v.comparator, v.value_text, v.unit, v.reference_low, v.reference_high, v.interpretation, v.status, v.observed_at"
    " from device_message as m join diagnostic_report as r on r.device_message_id = m.id"
    " join lab_result as v on v.report_id = r.id left join diagnostic_order as o on o.id = r.order_id"
    " where m.patient_id = %s order by v.id"
)


def handled(handler: Handler, message: bytes) -> str:
    with Arrived(Limits(1_000_000, 1_000_000, 5, 5), handler.spool.pending) as arrived:
        arrived.add(message)
        return handler.handle(arrived).decode()


@pytest.mark.parametrize("tests", [(), ("DV_WBC",), ("DV_WBC", "DV_GLU"), ("DV_WBC", "DV_HGB"), None])
def test_both_ways_write_the_same_rows(
    laboratory: Laboratory, gateway: Gateway, monkeypatch: pytest.MonkeyPatch, tests: tuple[str, ...] | None
) -> None:
    handler = Handler(gateway)
    decided: list[int] = []
    written: list[list[dict[str, Any]]] = []
    whole = gateway._new_reports.do

    def counted(*item: Any) -> Any:
        outcome = whole(*item)
        decided.append(0 if outcome is None else 1)
        return outcome

    for way in (counted, lambda *item: None):
        monkeypatch.setattr(gateway._new_reports, "do", way)
        patient, iin = laboratory.person()
        placer = laboratory.order(patient, "laboratory", tests)[1] if tests is not None else ""
        number = laboratory.serial()
        message = oru(f"Q{number}", iin=iin, placer=placer, filler=f"Q-{number}", values=VALUES)
        assert f"MSA|AA|Q{number}" in handled(handler, message)
        written.append(laboratory.rows(ROWS, patient))
    assert decided == [1]
    assert len(written[0]) == 3
    assert written[0] == written[1]


def test_many_at_once_are_each_recorded_once(laboratory: Laboratory, gateway: Gateway) -> None:
    handler = Handler(gateway)
    patient, iin = laboratory.person()
    order, accession = laboratory.order(patient, "laboratory", ("DV_WBC", "DV_HGB"))
    hgb = "OBX|1|NM|718-7^Hb^LN||120|g/L||N|||F"
    messages = [
        oru("MANY1", iin=iin, placer=accession, filler="MANY-1"),
        oru("MANY2", iin=iin, placer=accession, filler="MANY-2", values=(hgb,)),
        *(oru(f"MANY{n}", iin=iin, filler=f"MANY-{n}") for n in range(3, 9)),
        oru("MANY9", iin="", filler="MANY-9"),
        oru("MANY1", iin=iin, placer=accession, filler="MANY-1"),
    ]
    with ThreadPoolExecutor(len(messages)) as pool:
        answers = list(pool.map(lambda message: handled(handler, message), messages))
    assert all("MSA|AA|MANY" in answer for answer in answers)
    assert len(laboratory.rows(ROWS, patient)) == 8
    assert laboratory.rows("select status from diagnostic_order where id = %s", order)[0]["status"] == "completed"
    (waiting,) = laboratory.rows("select status from device_message where control_id = 'MANY9'")
    assert waiting["status"] == "unmatched"


def test_a_header_may_name_the_receiving_facility(laboratory: Laboratory, gateway: Gateway) -> None:
    patient, iin = laboratory.person()
    message = oru("F1", iin=iin, filler="FAC-1").replace(b"|KMIS||", b"|KMIS|HOSPITAL|", 1)
    assert "MSA|AA|F1" in handled(Handler(gateway), message)
    assert len(laboratory.rows(ROWS, patient)) == 1


def test_a_number_twice_in_one_message_makes_one_report(laboratory: Laboratory, gateway: Gateway) -> None:
    """The second OBR with the same filler number is an edition of the first, not a second report."""
    patient, iin = laboratory.person()
    message = oru("TWICE", iin=iin, filler="TW-1")
    again = message[message.index(b"OBR|") :].replace(b"OBR|1|", b"OBR|2|", 1)
    assert "MSA|AA|TWICE" in handled(Handler(gateway), message + again)
    found = laboratory.rows(
        "select count(*) as reports, (select count(*) from lab_result v where v.patient_id = r.patient_id) as results"
        " from diagnostic_report r where r.patient_id = %s and r.voided_at is null group by r.patient_id",
        patient,
    )
    once = message.count(b"OBX|")
    assert [(row["reports"], row["results"]) for row in found] == [(1, once)]
