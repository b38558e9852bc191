"""Runs every check and test, prints the time of each part, and ends at the first part that fails.

``python -m tests.run short`` is ``make test``; ``long`` is ``make test-long``; ``lint`` only the checks.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent
DBT = "dbt_project"
PYTEST = (str(BIN / "pytest"), "-q", "-p", "no:cacheprovider")
LINT = (
    ("ruff", (str(BIN / "ruff"), "check", ".")),
    ("format", (str(BIN / "ruff"), "format", "--check", ".")),
    ("types", (str(BIN / "mypy"),)),
    ("layers", (str(BIN / "lint-imports"),)),
    ("dbt parse", (str(BIN / "dbt"), "--quiet", "parse", "--project-dir", DBT, "--profiles-dir", DBT)),
    ("sql lint", (str(BIN / "sqlfluff"), "lint", "--processes", "2", "dbt_project/models")),
)
# Two processes, each with a server of its own; the tests of a file stay together and share what it costs to set up.
# In the order of names: the files with few but long tests would else come last, for one process alone.
BOTH_CORES = ("-n", "2", "--dist", "loadfile", "--no-loadscope-reorder")
SHORT = (
    ("unit and integration", (*PYTEST, "tests", *BOTH_CORES, "-m", "not journey and not long")),
    ("browser journeys", (*PYTEST, "tests/operational/web", "tests/e2e", "-m", "journey and not long")),
    ("requirements", (str(BIN / "kmis"), "requirements")),
)
FULL_SIZE = "tests/pipelines/test_full_size.py"
ALONE = ("tests/faults", "tests/e2e", FULL_SIZE)
LONG = (
    ("kill campaign", (*PYTEST, "tests/faults", "-m", "long")),
    ("demonstration at full size", (*PYTEST, "-s", FULL_SIZE, "-m", "long")),
    ("browser journeys in the other language", (*PYTEST, "tests/e2e", "-m", "long")),
    (
        "property tests, restores, region, how-tos",
        (*PYTEST, "tests", *(f"--ignore={path}" for path in ALONE), *BOTH_CORES, "-m", "long", "--durations=20"),
    ),
)
PLANS = {"lint": LINT, "short": LINT + SHORT, "long": LONG}


def run(plan: str) -> int:
    """Run the parts of a plan; returns the exit code of the first that fails, else 0."""
    times: list[tuple[str, float]] = []
    code = 0
    for name, command in PLANS[plan]:
        print(f"--- {name}", flush=True)
        start = time.monotonic()
        environment = os.environ | {"PYTHONDONTWRITEBYTECODE": "1", "DO_NOT_TRACK": "1"}
        code = subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode
        times.append((name, time.monotonic() - start))
        if code == 5:
            print(f"{name}: no test was found")
        if code:
            break
    print("--- seconds per part")
    for name, seconds in times:
        print(f"{seconds:8.1f}  {name}")
    print(f"{sum(seconds for _, seconds in times):8.1f}  in all", flush=True)
    return code


if __name__ == "__main__":
    sys.exit(run(sys.argv[1]))
