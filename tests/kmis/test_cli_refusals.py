"""What an operator mistypes or has lost is said in one line, without a traceback."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from kmis.postgres import free_port


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ({"KMIS_PORT": "99999"}, "KMIS_PORT: Input should be less than or equal to 65535"),
        ({"KMIS_LANGUAGE": "en"}, "KMIS_LANGUAGE: Input should be 'kk' or 'ru'"),
        ({"KMIS_DATABASE_URL": "postgresql://kmis@127.0.0.1:{port}/kmis"}, "PostgreSQL cannot be used: "),
    ],
)
def test_a_refusal_is_one_line(tmp_path: Path, setting: dict[str, str], said: str) -> None:
    values = {name: value.format(port=free_port()) for name, value in setting.items()}
    done = subprocess.run(
        [sys.executable, "-m", "kmis", "up"], env=os.environ | {"KMIS_HOME": str(tmp_path / "home")} | values,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    lines = done.stderr.strip().splitlines()
    assert done.returncode == 2, done.stderr
    assert lines[-1].startswith(f"kmis: {said}"), done.stderr
    assert "Traceback" not in done.stderr
