"""A long unload is written in constant memory: the peak of a process of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

SCRIPT = """
import resource, sys
from pathlib import Path
from exports.workbook import write_xlsx
from tests.exports import rows
write_xlsx(Path(sys.argv[1]), rows.long_sheet(20_000), rows.SUMMARY, rows.passport, "ru")
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
write_xlsx(Path(sys.argv[1]), rows.long_sheet(200_000), rows.SUMMARY, rows.passport, "ru")
sys.stdout.write(str((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024))
"""
GROWTH_MB = 60.0


def test_ten_times_the_rows_take_no_more_memory(tmp_path: Path) -> None:
    command = [sys.executable, "-c", SCRIPT, str(tmp_path / "x.xlsx")]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    assert float(done.stdout) < GROWTH_MB
