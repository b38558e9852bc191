"""A running installation seen from outside: its processes, what its writer does, whether its parts answer."""

from __future__ import annotations

import contextlib
import hashlib
import os
import signal
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

import httpx
import psutil
import psycopg
from pynetdicom import AE

from kmis.postgres import EmbeddedServer
from kmis.settings import Settings
from kmis.supervisor import part_states
from pipelines.lib.compiled import compiled_project
from pipelines.lib.dbt_runner import DbtRunner
from pipelines.lib.project import Project
from pipelines.lib.readers import open_reader
from tests.e2e.installation import Installation

Found = TypeVar("Found")
VERIFICATION = "1.2.840.10008.1.1"
MODALITY = "KARATOBE_CT"
# A part that needs longer than this is not coming back; how long it took is printed, never asserted.
LONGEST_S = 300.0
POLL_S = 0.05
WATCH_S = 0.001


@dataclass(frozen=True, slots=True)
class Doing:
    """What the writer is doing: the newest row of ``lake_pass`` that runs."""

    pass_id: int
    kind: str
    step: str

    @property
    def stage(self) -> str:
        """``append``, ``appended``, ``model``, ``commit``, ``publish`` or ``maintenance``."""
        if self.kind == "maintenance":
            return "maintenance"
        word = self.step.split(" ")[0]
        named = {"": "appended", "load": "appended", "append": "append", "commit": "commit", "publish": "publish",
                 "compact": "maintenance"}  # fmt: skip
        return named.get(word, "model")


def wait_for(what: str, found: Callable[[], Found | None], poll_s: float = POLL_S) -> Found:
    """What ``found`` gives as soon as it gives something. Raises AssertionError that says what was waited for."""
    deadline = time.monotonic() + LONGEST_S
    while time.monotonic() < deadline:
        with contextlib.suppress(psycopg.OperationalError, httpx.HTTPError, OSError):
            value = found()
            if value:
                return value
        threading.Event().wait(poll_s)
    raise AssertionError(f"waited {LONGEST_S:.0f} s in vain for {what}")


@dataclass
class System:
    """The installation whose parts are killed."""

    installation: Installation

    @cached_property
    def settings(self) -> Settings:
        environment = self.installation.environment
        return Settings(
            home=self.installation.home, port=int(environment["KMIS_PORT"]),
            dicom_port=int(environment["KMIS_DICOM_PORT"]), mllp_port=int(environment["KMIS_MLLP_PORT"]),
        )  # fmt: skip

    @cached_property
    def project(self) -> Project:
        """The compiled models, for comparisons in this process."""
        with open_reader(self.settings) as reader:
            return compiled_project(DbtRunner(self.settings, reader.instance, target="checks"))

    def store(self) -> psycopg.Connection[tuple[object, ...]]:
        """A session of the writer's role, each statement its own transaction."""
        return psycopg.connect(self.settings.dsn("kmis_writer"), autocommit=True)

    def value(self, statement: str, *values: object) -> object:
        """One value out of the store, None where there is no row."""
        with self.store() as store:
            row = store.execute(statement, values).fetchone()
        return None if row is None else row[0]

    # processes

    def pid(self, part: str) -> int:
        """The process of a part, as soon as it has one."""
        return wait_for(f"a process of {part}", lambda: self.alive(part))

    def alive(self, part: str) -> int | None:
        """The process of a part that lives."""
        pid = part_states(self.settings)[part]
        with contextlib.suppress(psutil.NoSuchProcess):
            if pid is not None and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
                return pid
        return None

    def postmaster(self) -> int | None:
        """The process of the embedded server that runs."""
        server = EmbeddedServer(self.settings)
        return int((server.data / "postmaster.pid").read_text().split()[0]) if server.running() else None

    def kill(self, part: str) -> int:
        """Kill a part's process, which it was."""
        pid = self.pid(part)
        os.kill(pid, signal.SIGKILL)
        return pid

    def kill_server(self) -> int:
        """Kill PostgreSQL with all its processes at once."""
        pid = wait_for("PostgreSQL", self.postmaster)
        for process in (psutil.Process(pid), *psutil.Process(pid).children(recursive=True)):
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        return pid

    # the writer

    def doing(self, store: psycopg.Connection[tuple[object, ...]]) -> Doing | None:
        """What the writer is doing now; None between passes."""
        row = store.execute(
            "select id, kind, step from lake_pass where state = 'running' order by id desc limit 1"
        ).fetchone()
        return None if row is None else Doing(int(str(row[0])), str(row[1]), str(row[2]))

    def span_s(self, stage: str) -> float:
        """How long a stage took when it was last passed, in seconds; a guess where nothing tells."""
        if stage == "maintenance":
            found = self.value(
                "select extract(epoch from finished_at - started_at) from lake_pass"
                " where kind = 'maintenance' and state = 'done' order by id desc limit 1"
            )
        else:
            name = {"append": "load", "model": "models", "publish": "publish"}.get(stage, "")
            found = self.value(
                "select detail->'seconds'->>%s from lake_pass where state = 'published' order by id desc limit 1", name
            )
        return float(str(found)) if found else 0.05

    def publication(self) -> int:
        """The number of the newest publication."""
        return int(str(self.value("select coalesce(max(id), 0) from published")))

    def published_after(self, publication: int) -> bool:
        """Whether figures have moved since."""
        return self.publication() > publication

    # answers

    def screens_answer(self) -> bool:
        """Whether the API and its database answer."""
        return httpx.get(f"{self.installation.screens}/healthz", timeout=5).status_code == 200

    def images_answer(self) -> bool:
        """Whether a modality gets an answer to its C-ECHO."""
        entity = AE(ae_title=MODALITY)
        entity.add_requested_context(VERIFICATION)
        association = entity.associate("127.0.0.1", self.settings.dicom_port, ae_title=self.settings.dicom_aet)
        if not association.is_established:
            return False
        status = association.send_c_echo()
        association.release()
        return bool(status) and status.Status == 0

    def laboratory_answers(self) -> bool:
        """Whether a laboratory system can connect."""
        with socket.create_connection(("127.0.0.1", self.settings.mllp_port), timeout=5):
            return True

    # files

    def half_made(self) -> list[str]:
        """Serving files that readers could take and that are not whole, and made files that differ from their log."""
        wrong = [path.name for path in self.settings.serve_dir.glob("*.draft*")]
        with psycopg.connect(self.settings.dsn("kmis_owner")) as owner:
            ready = owner.execute("select id, file_name, sha256 from unload_log where status = 'ready'").fetchall()
        for key, name, digest in ready:
            file = self.settings.exports_dir / str(key) / str(name)
            if not file.is_file() or hashlib.sha256(file.read_bytes()).hexdigest() != digest:
                wrong.append(f"{key}/{name}")
        return wrong

    def spooled(self) -> list[str]:
        """What devices delivered and the store does not know yet."""
        spool = self.settings.spool_dir
        return [
            str(path.relative_to(spool))
            for folder in ("hl7v2/pending", "dicom/pending", "dicom/incoming")
            for path in (spool / folder).glob("*")
            if not path.name.startswith(".")
        ]
