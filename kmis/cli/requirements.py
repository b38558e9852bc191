"""``kmis requirements``: how many rows of the register have a test that exercises them, per area."""

from __future__ import annotations

import ast
import csv
from collections import defaultdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).resolve().parents[2]


def register_rows(root: Path = ROOT) -> list[dict[str, str]]:
    """The rows of the register with the columns id, area, requirement, kind and others."""
    with (root / "docs" / "requirements" / "register.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def marked_tests(root: Path = ROOT) -> dict[str, list[str]]:
    """Requirement id -> tests that carry it (``path::name``), read from the source of the tests."""
    found: dict[str, list[str]] = defaultdict(list)
    for file in sorted((root / "tests").rglob("test_*.py")):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        whole = [mark for node in tree.body if isinstance(node, ast.Assign) for mark in _ids(node.value)]
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
                for mark in whole + [key for decorator in node.decorator_list for key in _ids(decorator)]:
                    found[mark].append(f"{file.relative_to(root)}::{node.name}")
    return dict(found)


def _ids(node: ast.AST) -> list[str]:
    return [
        argument.value
        for call in ast.walk(node)
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == "requirement"
        for argument in call.args
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
    ]


def requirements(
    area: Annotated[str | None, typer.Option(help="List this area's rows without a test.")] = None,
    missing: Annotated[bool, typer.Option(help="List every row without a test.")] = False,
) -> None:
    """Print, per area, how many requirements have a test. Exit 1 when a test names an unknown id."""
    console = Console(highlight=False)
    rows = [row for row in register_rows() if row["kind"] == "software"]
    tests = marked_tests()
    table = Table("area", "rows", "with a test")
    for name in sorted({row["area"] for row in rows}):
        of_area = [row for row in rows if row["area"] == name]
        table.add_row(name, str(len(of_area)), str(sum(row["id"] in tests for row in of_area)))
    table.add_row("all", str(len(rows)), str(sum(row["id"] in tests for row in rows)))
    console.print(table)
    for row in rows:
        if row["id"] not in tests and (missing or row["area"] == area):
            console.print(f"{row['id']:<10} {row['requirement']}")
    unknown = sorted(set(tests) - {row["id"] for row in register_rows()})
    if unknown:
        console.print(f"[red]tests name unknown requirements:[/red] {', '.join(unknown)}")
        raise typer.Exit(1)


def register(app: typer.Typer) -> None:
    app.command()(requirements)
