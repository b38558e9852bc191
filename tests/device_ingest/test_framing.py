"""Frames out of any bytes: no input stops the listener, loses a whole message or records half of one."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import settings as tried
from hypothesis import strategies as st

from device_ingest.hl7v2.answer import acknowledgement
from device_ingest.hl7v2.errors import NO_HEADER, NotAccepted
from device_ingest.hl7v2.header import decode, read_header
from device_ingest.hl7v2.mllp import Arrived, Framer, Framing, Limits
from device_ingest.hl7v2.reading import read_message
from tests.device_ingest.messages import oru, wbc

LIMITS = Limits(2_000, 4_000, 5, 5)
AT = datetime(2026, 11, 20, tzinfo=UTC)
ZONE = ZoneInfo("Asia/Oral")


def framed(folder: Path, *parts: bytes) -> list[Arrived]:
    framer = Framer(LIMITS, folder)
    found = [arrived for part in parts for arrived in framer.feed(part)]
    rest = framer.rest()
    return found + ([rest] if rest else [])


def bytes_of(arrived: Arrived) -> bytes:
    with arrived, arrived.content() as content:
        return bytes(content)


def read(raw: bytes) -> str:
    """What a handler does with bytes before the store; the problem, or nothing."""
    try:
        header = read_header(raw)
        read_message(decode(raw, header, None), header, ZONE, AT)
    except NotAccepted as error:
        return error.reason.problem
    return ""


def test_a_message_in_pieces_is_one_message(tmp_path: Path) -> None:
    stream = b"\x0b" + oru("1") + b"\x1c\r\x0b" + oru("2") + b"\x1c\r"
    found = framed(tmp_path, *(stream[place : place + 7] for place in range(0, len(stream), 7)))
    assert [bytes_of(arrived) for arrived in found] == [oru("1"), oru("2")]
    assert {arrived.framing for arrived in found} == {Framing.WHOLE}


def test_more_than_is_kept_is_counted_only(tmp_path: Path) -> None:
    (found,) = framed(tmp_path, b"\x0b", *([b"x" * 1_000] * 10), b"\x1c\r")
    assert (found.size, found.too_large, len(bytes_of(found))) == (10_000, True, 4_000)


def test_a_new_beginning_ends_what_had_no_end(tmp_path: Path) -> None:
    found = framed(tmp_path, b"\x0bhalf\x0bwhole\x1c\rnoise\x0bopen")
    assert [(arrived.framing, bytes_of(arrived)) for arrived in found] == [
        (Framing.CUT_SHORT, b"half"), (Framing.WHOLE, b"whole"), (Framing.OUTSIDE, b"noise"),
        (Framing.CUT_SHORT, b"open"),
    ]  # fmt: skip


def any_bytes(examples: int) -> None:
    pieces = st.lists(
        st.one_of(st.binary(max_size=40), st.sampled_from([b"\x0b", b"\x1c", b"\x1c\r", b"MSH|^~\\&|", oru("1")[:90]])),
        max_size=12,
    )

    @tried(max_examples=examples, deadline=None, derandomize=True)
    @given(pieces=pieces)
    def check(pieces: list[bytes]) -> None:
        found = framed(Path("/tmp"), *pieces, b"\x0b", oru("LAST"), b"\x1c\r")
        assert bytes_of(found[-1]) == oru("LAST") and found[-1].framing is Framing.WHOLE
        for arrived in found[:-1]:
            read(bytes_of(arrived))

    check()


def any_damage(examples: int) -> None:
    whole = oru("1", iin="1", values=(wbc("5.6"), "OBX|2|SN|A^B^L||<^2||1-2|||F"))

    @tried(max_examples=examples, deadline=None, derandomize=True)
    @given(place=st.integers(0, len(whole)), length=st.integers(0, 30), put=st.binary(max_size=12))
    def check(place: int, length: int, put: bytes) -> None:
        raw = whole[:place] + put + whole[place + length :]
        read(raw)
        try:
            header = read_header(raw)
        except NotAccepted:
            header = None
        answer = acknowledgement(header, AT, NO_HEADER)
        assert answer.count(b"\rMSA|AR|") == 1 and answer.count(b"\r") == 3

    check()


def test_any_bytes_are_framed() -> None:
    any_bytes(150)


def test_a_damaged_message_is_read_or_refused() -> None:
    any_damage(300)


@pytest.mark.long
def test_very_many_damaged_messages() -> None:
    any_bytes(5_000)
    any_damage(20_000)


def test_every_cut_of_a_message_is_refused_or_whole_in_its_last_value() -> None:
    whole = oru("1", iin="1", values=(wbc("15.6", flag="H"),))
    accepted = [place for place in range(len(whole)) if not read(whole[:place])]
    value_ends = whole.index(b"|||F|||") + len(b"|||F")
    assert all(place >= value_ends for place in accepted)


@pytest.mark.parametrize("text", ["5.6", "5,6", "+5.6", "5.60"])
def test_numbers_as_analysers_write_them(text: str) -> None:
    header = read_header(oru("1"))
    message = read_message(oru("1", values=(wbc(text),)).decode(), header, ZONE, AT)
    number = message.reports[0].values[0].number
    assert number is not None and float(number) == 5.6


def test_a_number_beyond_what_the_store_holds_is_a_text() -> None:
    header = read_header(oru("1"))
    message = read_message(oru("1", values=(wbc("9" * 15),)).decode(), header, ZONE, AT)
    assert message.reports[0].values[0].kind == "text"


def test_times_stand_in_the_installations_zone_unless_they_name_one() -> None:
    header = read_header(oru("1"))
    here = read_message(oru("1", issued="20261120090000").decode(), header, ZONE, AT).reports[0].issued_at
    there = read_message(oru("1", issued="20261120090000+0000").decode(), header, ZONE, AT).reports[0].issued_at
    assert here.utcoffset() == AT.astimezone(ZONE).utcoffset() and there.tzinfo is not None and here < there
