"""LibreOffice opens the files: a pivot over the data sheet gives the total, and the old format keeps every row."""

from __future__ import annotations

import json
import secrets
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from exports.legacy import write_xls
from exports.workbook import write_xlsx
from tests.exports import rows

SOFFICE = shutil.which("soffice")
SYSTEM_PYTHON = "/usr/bin/python3"
if SOFFICE is None:
    raise RuntimeError("LibreOffice is missing: apt-get install libreoffice-calc-nogui python3-uno")


def office(folder: Path, *arguments: str) -> list[str]:
    """A headless office with a profile of its own, so that tests at once do not meet."""
    return [
        str(SOFFICE),
        "--headless",
        "--norestore",
        f"-env:UserInstallation={(folder / 'profile').as_uri()}",
        *arguments,
    ]


def pivot(file: Path, row_field: str, data_field: str) -> dict[str, Any]:
    """What the helper script of the system's Python found."""
    pipe = f"kmis-{secrets.token_hex(6)}"
    with subprocess.Popen(
        office(file.parent, f"--accept=pipe,name={pipe};urp;"), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as running:
        try:
            script = Path(__file__).with_name("office_pivot.py")
            done = subprocess.run(
                [SYSTEM_PYTHON, str(script), pipe, str(file), row_field, data_field],
                capture_output=True, text=True, timeout=120, check=False,
            )  # fmt: skip
        finally:
            running.terminate()
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def converted(file: Path) -> Path:
    """The file as LibreOffice reads it, saved as xlsx."""
    target = file.parent / "converted"
    command = office(file.parent, "--convert-to", "xlsx", "--outdir", str(target), str(file))
    subprocess.run(command, check=True, capture_output=True, timeout=240)
    return target / f"{file.stem}.xlsx"


@pytest.mark.requirement("XLS-02")
def test_a_pivot_over_the_unload_gives_its_total(tmp_path: Path) -> None:
    many = [{**rows.ROWS[index % 2], "died": index % 3 == 0} for index in range(3_000)]
    target = tmp_path / "unload.xlsx"
    control = write_xlsx(target, rows.sheet(many), rows.SUMMARY, rows.passport, "kk")
    found = pivot(target, "Ұйым", "Қайтыс болды (0/1)")
    assert found["rows"] == 3_000
    assert found["sheets"][-1] == "Паспорт"
    assert found["total"] == control.totals["died"] == 1_000


def test_seventy_thousand_rows_of_the_old_format_split_and_none_is_lost(tmp_path: Path) -> None:
    target = tmp_path / "unload.xls"
    control = write_xls(target, rows.long_sheet(70_000), rows.SUMMARY, rows.passport, "ru")
    assert control.rows == 70_000
    book = load_workbook(converted(target), read_only=True)
    assert book.sheetnames == ["XLS-02 Тізім", "XLS-02 Тізім (2)", "Свод", "Паспорт"]
    parts = [list(book[name].iter_rows(values_only=True)) for name in book.sheetnames[:2]]
    assert [len(part) for part in parts] == [65_536, 70_000 - 65_535 + 1]
    assert parts[0][0] == parts[1][0] == ("Нөмірі", "Коды", "Саны")
    found = [row[0] for part in parts for row in part[1:]]
    assert found == list(range(70_000))
    assert parts[1][-1][1] == "00069999"


def test_the_old_format_keeps_kinds_and_print_set_up(tmp_path: Path) -> None:
    target = tmp_path / "unload.xls"
    write_xls(target, rows.sheet(), rows.SUMMARY, rows.passport, "kk")
    sheet = load_workbook(converted(target)).worksheets[0]
    assert sheet["A2"].value == "007001010003"
    assert sheet["A2"].number_format == "@"
    assert sheet["D4"].data_type == "s"
    assert sheet["E2"].number_format.lower().replace("\\", "") == "dd.mm.yyyy"
    assert sheet["J2"].value == 1500.5
    assert sheet["I3"].value is None
    assert sheet.freeze_panes == "A2"
    assert sheet.print_title_rows == "$1:$1"
    assert sheet.page_setup.orientation == "landscape"
    assert int(sheet.page_setup.paperSize) == 9
