"""``kmis bench hl7``: ORU^R01 a second, each durable and recorded before its acknowledgement, from one and from eight
senders. The peer is the least that any receiver does: the same senders against one that answers without reading.
"""

from __future__ import annotations

import contextlib
import socket
import socketserver
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date

import psycopg

from kmis.bench.devices import BENCH_SENDER, Installation, installation, listener
from kmis.bench.results import Goal, Result, quantile
from kmis.iin import generate_first

SENDERS = (1, 8)
MESSAGES = 400
BEGIN, END = b"\x0b", b"\x1c\r"
ANSWER = BEGIN + b"MSH|^~\\&|PEER||||20260101||ACK^R01|1|P|2.5.1\rMSA|AA|1\r" + END


@dataclass(frozen=True, slots=True)
class Rate:
    """Messages of one receiver from so many senders at once, and the seconds of each."""

    receiver: str
    senders: int
    seconds: float
    each: tuple[float, ...]

    @property
    def per_second(self) -> float:
        return len(self.each) / self.seconds


def message(number: int, accession: str) -> bytes:
    """A blood count of eight values for an order."""
    head = [
        f"MSH|^~\\&|{BENCH_SENDER}|KMIS||20260101090000||ORU^R01^ORU_R01|B{number}|P|2.5.1||||||UNICODE UTF-8",
        "PID|1||||Bench^Bench||19800101|F",
        f"OBR|1|{accession}|B{number}|CBC^Blood count|||20260101080000|||||||||||||||20260101085500|||F",
    ]
    values = [f"OBX|{n}|NM|T{n}^Test {n}^L||{n}.{number % 10}|g/L|1.0-9.0|N|||F" for n in range(1, 9)]
    return "".join(f"{segment}\r" for segment in head + values).encode()


def send(port: int, messages: list[bytes], each: list[float]) -> None:
    """Send one message after another over one connection; appends the seconds to each acknowledgement."""
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for content in messages:
            started = time.perf_counter()
            connection.sendall(BEGIN + content + END)
            answer = b""
            while END not in answer:
                answer += connection.recv(65536)
            if b"MSA|AA|" not in answer:
                raise RuntimeError("a message of the benchmark was refused")
            each.append(time.perf_counter() - started)


def run(messages: int = MESSAGES, say: Callable[[str], None] = lambda line: None) -> tuple[list[Rate], bool]:
    """Rates of the listener and of the peer, and whether every message's values are recorded."""
    rates: list[Rate] = []
    with installation() as installed, _peer() as peer_port:
        accessions = _orders(installed, len(SENDERS) * 2 * messages)
        with listener(installed, "device_ingest.hl7v2") as (port, _):
            number = 0
            for senders in SENDERS:
                for receiver, address in (("kmis", port), ("peer", peer_port)):
                    say(f"{receiver}: {senders} x {messages // senders} messages")
                    lists = []
                    for _ in range(senders):
                        lists.append(
                            [message(at, accessions[at]) for at in range(number, number + messages // senders)]
                        )
                        number += messages // senders
                    rates.append(_measure(receiver, address, lists))
        expected = sum(len(rate.each) for rate in rates if rate.receiver == "kmis") * 8
        with psycopg.connect(installed.settings.dsn("kmis_owner")) as connection:
            found = connection.execute("select count(*) from lab_result").fetchone()
    return rates, found is not None and found[0] == expected


def report(outcome: tuple[list[Rate], bool]) -> Result:
    """The result; there is no goal for the rate."""
    rates, complete = outcome
    lines = [
        f"{rate.receiver:<5} {rate.senders} sender(s) {rate.per_second:8.1f} messages/s,"
        f" median {quantile(list(rate.each), 0.5) * 1e3:.1f} ms, p95 {quantile(list(rate.each), 0.95) * 1e3:.1f} ms"
        for rate in rates
    ]
    of = {(rate.receiver, rate.senders): rate.per_second for rate in rates}
    return Result(
        name="hl7",
        title="ORU^R01 a second over MLLP, synced to disk and recorded before the acknowledgement.",
        size=f"{len(rates[0].each)} messages of eight values from {' and from '.join(map(str, SENDERS))} sender(s)",
        goals=(Goal("every value recorded once", "yes" if complete else "NO", complete),),
        peer="the same senders against a receiver that answers without reading",
        ratio=", ".join(
            f"with {senders} sender(s) the peer is {of['peer', senders] / of['kmis', senders]:.1f} times as fast"
            for senders in SENDERS
        ),
        lines=tuple(lines),
    )


def _measure(receiver: str, port: int, lists: list[list[bytes]]) -> Rate:
    each: list[float] = []
    threads = [threading.Thread(target=send, args=(port, content, each)) for content in lists]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return Rate(receiver, len(lists), time.perf_counter() - started, tuple(each))


class _Echo(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        pending = b""
        while part := self.request.recv(65536):
            pending += part
            while END in pending:
                _, _, pending = pending.partition(END)
                self.request.sendall(ANSWER)


@contextlib.contextmanager
def _peer() -> Iterator[int]:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Echo) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield int(server.server_address[1])
        finally:
            server.shutdown()
            thread.join()


def _orders(installed: Installation, number: int) -> list[str]:
    """Orders of one person, one for each message; their accession numbers."""
    with psycopg.connect(installed.settings.dsn("kmis_owner")) as connection:
        patient = connection.execute(
            "insert into patient (owner_organisation_id, iin, surname, given_name, name_key, sort_key, birth_date, sex)"
            " values (%s, %s, 'Bench', 'Bench', ' bench bench', 'bench', '1980-01-01', 'F') returning id",
            (installed.organisation, generate_first(date(1980, 1, 1), "F", range(10))),
        ).fetchone()
        rows = connection.execute(
            "insert into diagnostic_order (owner_organisation_id, patient_id, category, ordered_at)"
            " select %s, %s, 'laboratory', now() from generate_series(1, %s) returning accession_number",
            (installed.organisation, (patient or (0,))[0], number),
        )
        return [str(row[0]) for row in rows]
