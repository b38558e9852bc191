"""Starts the processes of one installation, keeps them running, and stops them in order.

``kmis up`` starts it detached; ``python -m kmis.supervisor`` runs it in the foreground. A process that ends is
started again, at most every few seconds; the embedded PostgreSQL too. Its state stands in ``run/supervisor.json``.
Where the supervisor itself is killed, its processes end with it, so that ``kmis up`` finds the ports free.
"""

from __future__ import annotations

import ctypes
import json
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from kmis import unfinished
from kmis.postgres import EmbeddedServer, ServerError, port_free, server_in_use
from kmis.settings import Settings, get_settings

POLL_S = 0.5
BACKOFF_S = 3.0
STOP_TIMEOUT_S = 15.0
LOG_LIMIT_BYTES = 20_000_000
PR_SET_PDEATHSIG = 1  # prctl(2)
log = logging.getLogger("kmis.supervisor")
_libc = ctypes.CDLL(None)

DAGSTER = str(Path(sys.executable).parent / "dagster")
# Stand for what only the settings know.
CODE_SOCKET, WORKSPACE = "{code_socket}", "{workspace}"


@dataclass(frozen=True)
class Part:
    """A process: its name, the command that starts it, and the port that it listens on, if any."""

    name: str
    command: tuple[str, ...]
    port_setting: str | None = None


PARTS = (
    Part("api", (sys.executable, "-m", "operational.app"), "port"),
    Part("worker", (sys.executable, "-m", "operational.worker")),
    Part("writer", (sys.executable, "-m", "kmis", "writer")),
    Part("dicom", (sys.executable, "-m", "device_ingest.dicom"), "dicom_port"),
    Part("mllp", (sys.executable, "-m", "device_ingest.hl7v2"), "mllp_port"),
    Part("dashboards", (sys.executable, "-m", "dashboards.server"), "dashboards_port"),
    Part("dagster", (sys.executable, "-m", "dashboards.dagster_ui"), "dagster_port"),
    Part(
        "dagster-code",
        (DAGSTER, "api", "grpc", "-m", "pipelines.definitions", "--location-name", "kmis", "--socket", CODE_SOCKET),
    ),
    Part("dagster-daemon", (f"{DAGSTER}-daemon", "run", "-w", WORKSPACE)),
)


@dataclass
class Running:
    """A started process and when it was started."""

    part: Part
    process: subprocess.Popen[bytes]
    started: float = field(default_factory=time.monotonic)


class AlreadyRunning(RuntimeError):
    """This installation is up."""


def state_file(settings: Settings) -> Path:
    return settings.run_dir / "supervisor.json"


def supervisor_pid(settings: Settings) -> int | None:
    """The process id of this installation's supervisor, or None when it is down."""
    try:
        state = json.loads(state_file(settings).read_text())
        process = psutil.Process(int(state["pid"]))
    except (OSError, ValueError, KeyError, psutil.NoSuchProcess):
        return None
    # A supervisor of an earlier release has written the time only.
    same = state["begun"] == _begun(process) if "begun" in state else abs(process.create_time() - state["created"]) < 2
    return process.pid if same and process.status() != psutil.STATUS_ZOMBIE else None


def _begun(process: psutil.Process) -> str:
    """When the process began, by a clock that nobody sets: boot and ticks since then, where the system tells them."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        # The program's name, in brackets, may hold spaces.
        ticks = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[19]
    except OSError:
        return f"{process.create_time():.1f}"
    return f"{boot} {ticks}"


def check_ports(settings: Settings) -> None:
    """Raise ServerError that names the first port which somebody else listens on, and the setting for it."""
    for part in PARTS:
        if part.port_setting:
            port = int(getattr(settings, part.port_setting))
            if not port_free(settings.host, port):
                raise ServerError(
                    f"port {port} for {part.name} is taken; set KMIS_{part.port_setting.upper()} to a free one"
                )


def environment(settings: Settings) -> dict[str, str]:
    """What every process of the installation is started with."""
    return os.environ | {
        "KMIS_HOME": str(settings.root),
        "DAGSTER_HOME": str(settings.dagster_home),
        "PYTHONUNBUFFERED": "1",
        "PYTHONWARNINGS": os.environ.get("PYTHONWARNINGS", "ignore"),
    }


def start_detached(settings: Settings) -> int:
    """Start the supervisor in a session of its own and return its process id."""
    if supervisor_pid(settings):
        raise AlreadyRunning("this installation is up already; `kmis status` shows it")
    unfinished.refuse(settings)
    check_ports(settings)
    settings.log_dir.mkdir(parents=True, exist_ok=True)
    settings.run_dir.mkdir(parents=True, exist_ok=True)
    with (settings.log_dir / "supervisor.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "kmis.supervisor"], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            env=environment(settings), start_new_session=True,
        )  # fmt: skip
    _write_state(settings, process.pid, {})
    return process.pid


def stop(settings: Settings, timeout_s: float = 60.0) -> bool:
    """Stop everything; False when nothing ran. Processes that do not end in time are killed."""
    pid = supervisor_pid(settings)
    if pid is None:
        if not settings.database_url:
            EmbeddedServer(settings).stop()
        return False
    process = psutil.Process(pid)
    process.terminate()
    try:
        process.wait(timeout_s)
    except psutil.TimeoutExpired:
        for child in (*process.children(recursive=True), process):
            child.kill()
    return True


def part_states(settings: Settings) -> dict[str, int | None]:
    """Each part's process id, or None when it does not run."""
    try:
        known: dict[str, int] = json.loads(state_file(settings).read_text())["parts"]
    except (OSError, ValueError, KeyError):
        known = {}
    alive = supervisor_pid(settings) is not None
    return {
        part.name: known.get(part.name) if alive and psutil.pid_exists(known.get(part.name, -1)) else None
        for part in PARTS
    }


def _write_state(settings: Settings, pid: int, parts: dict[str, int]) -> None:
    file = state_file(settings)
    fresh = file.with_suffix(f".{os.getpid()}")
    process = psutil.Process(pid)
    state = {"pid": pid, "begun": _begun(process), "created": process.create_time(), "parts": parts}
    fresh.write_text(json.dumps(state))
    fresh.replace(file)


def _start(settings: Settings, part: Part) -> Running:
    log_file = settings.log_dir / f"{part.name}.log"
    if log_file.exists() and log_file.stat().st_size > LOG_LIMIT_BYTES:
        log_file.replace(log_file.with_suffix(".log.1"))
    known = {CODE_SOCKET: str(settings.code_socket), WORKSPACE: str(settings.dagster_workspace)}
    with log_file.open("ab") as log:
        process = subprocess.Popen(
            [known.get(word, word) for word in part.command],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=environment(settings),
            preexec_fn=_end_with_parent if sys.platform == "linux" else None,
        )
    return Running(part, process)


def _end_with_parent() -> None:
    """Has the kernel end this process when its parent ends, however that comes about."""
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


class _Server:
    """The embedded server as the supervisor keeps it."""

    def __init__(self, server: EmbeddedServer) -> None:
        self.server = server
        self._retry_at = 0.0

    def keep(self) -> None:
        """Start it where it has ended; a start that fails is logged and tried again."""
        if time.monotonic() < self._retry_at or self.server.running():
            return
        log.warning("PostgreSQL has ended and is started again")
        try:
            self.server.start()
        except (ServerError, OSError) as error:
            log.error("%s", error)
            self._retry_at = time.monotonic() + BACKOFF_S


def prepare_dagster(settings: Settings) -> None:
    """Dagster's home, and the workspace that leads daemon and interface to one code server.

    Without one each of them would load all models into a server of its own, the daemon anew every minute.
    """
    settings.dagster_home.mkdir(parents=True, exist_ok=True)
    (settings.dagster_home / "dagster.yaml").touch()
    socket_file = settings.code_socket
    socket_file.parent.mkdir(mode=0o700, exist_ok=True)
    socket_file.unlink(missing_ok=True)
    settings.dagster_workspace.write_text(
        f"load_from:\n  - grpc_server:\n      socket: {socket_file}\n      location_name: kmis\n"
    )


def run(settings: Settings) -> None:
    """Keep the parts running until SIGTERM or SIGINT, then stop them, the database last. Raises Unfinished."""
    unfinished.refuse(settings)
    stopping = False

    def _stop(signum: int, frame: object) -> None:
        nonlocal stopping
        stopping = True

    signal.signal(signal.SIGTERM, _stop)
    signal.signal(signal.SIGINT, _stop)
    with server_in_use(settings):
        _keep(settings, lambda: stopping)


def _keep(settings: Settings, stopping: Callable[[], bool]) -> None:
    prepare_dagster(settings)
    server = None if settings.database_url else _Server(EmbeddedServer(settings))
    running = [_start(settings, part) for part in PARTS]
    _write_state(settings, os.getpid(), {item.part.name: item.process.pid for item in running})
    changed = False
    while not stopping():
        time.sleep(POLL_S)
        try:
            if server is not None:
                server.keep()
            for place, item in enumerate(running):
                if item.process.poll() is not None and time.monotonic() - item.started > BACKOFF_S and not stopping():
                    running[place] = _start(settings, item.part)
                    changed = True
            if changed:
                _write_state(settings, os.getpid(), {item.part.name: item.process.pid for item in running})
                changed = False
        except (OSError, subprocess.SubprocessError) as error:
            # No room on the disk, or for a process: what was started stays in the list, the rest is tried again.
            log.error("a part could not be started: %s", error)
            time.sleep(BACKOFF_S)
    for item in running:
        item.process.terminate()
    deadline = time.monotonic() + STOP_TIMEOUT_S
    for item in running:
        try:
            item.process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            item.process.kill()
    if server is not None:
        server.server.stop()
    state_file(settings).unlink(missing_ok=True)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    run(get_settings())
