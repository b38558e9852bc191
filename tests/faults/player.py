"""The simulated users of ``kmis live``, as a process that is started and stopped."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime

from operational.demo.live.journal import Entry, journal_path, missing, read_journal
from tests.faults.system import System, wait_for

RATE = 4
STOP_S = 120


class Player:
    """Acts on an installation until it is stopped; what was acknowledged stands in its journal."""

    COMMAND: Sequence[str] = ("-m", "kmis", "live", "--rate", str(RATE))

    def __init__(self, system: System, seed: int) -> None:
        self.system = system
        self.seed = seed
        self.journal = journal_path(system.settings)
        self.log = system.installation.home.parent / "live.log"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Begin to act, or go on."""
        if self._process is None:
            self.seed += 1
            with self.log.open("ab") as log:
                self._process = subprocess.Popen(
                    [sys.executable, *self.COMMAND, "--seed", str(self.seed)],
                    env=self.system.installation.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                )  # fmt: skip
        self.goes_on(datetime.now(UTC))

    def goes_on(self, since: datetime) -> None:
        """Wait until something was acknowledged after ``since``. Raises AssertionError when the player has ended."""

        def acknowledged() -> bool:
            code = self._process.poll() if self._process else None
            if code is not None:
                raise AssertionError(f"the player ended with {code}:\n{self.log.read_text(errors='replace')[-2000:]}")
            return self.journal.exists() and self.journal.stat().st_mtime > since.timestamp()

        wait_for("an acknowledged act", acknowledged)

    def stop(self) -> None:
        """Have it end in order. Raises AssertionError when it does not."""
        if self._process is not None:
            process, self._process = self._process, None
            process.send_signal(signal.SIGTERM)
            assert process.wait(STOP_S) == 0, self.log.read_text(errors="replace")[-2000:]

    def end(self) -> None:
        """End it whatever it does."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def entries(self) -> list[Entry]:
        """What was acknowledged so far."""
        return read_journal(self.journal)

    def missing(self) -> list[Entry]:
        """What was acknowledged and is not in the store."""
        return missing(self.system.settings, self.entries())
