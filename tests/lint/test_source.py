"""Rules of the source that no ready-made linter states, read from the syntax trees and the files themselves."""

from __future__ import annotations

import ast
import io
import re
import subprocess
import tokenize
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("kmis", "operational", "pipelines", "dashboards", "exports", "signal_sheets", "device_ingest")
LONGEST = 500
# Generated, or data: a reader does not read them top-down.
NOT_READ = {"requirements.lock", "LICENSE"}
NOT_READ_SUFFIXES = {".csv", ".png", ".svg"}
NOT_READ_FILES = {"docs/data-dictionary.md", "docs/data-dictionary-products.md", "docs/data-dictionary-staging.md"}
OUTSIDE = re.compile(
    r"""(?:<(?:script|link|img|iframe)\b[^>]*?(?:src|href)\s*=\s*["']?\s*|@import\s+(?:url\()?["']?)"""
    r"""(?:https?:)?//""",
    re.I,
)
SILENCED = re.compile(r"#\s*(?:type:\s*ignore(?:\[[^\]]*\])?|noqa(?::\s*[A-Z0-9, ]+?)?)(?P<rest>\s.*|$)", re.I)
UNFINISHED = re.compile(r"\b(?:TO" + "DO|FIX" + r"ME)\b")


@lru_cache(maxsize=1)
def files() -> tuple[Path, ...]:
    """Every file of the repository that is or would be kept."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return tuple(path for line in listed.stdout.splitlines() if (path := ROOT / line).is_file())


def python(*folders: str) -> Iterator[Path]:
    for path in files():
        if path.suffix == ".py" and path.relative_to(ROOT).parts[0] in folders:
            yield path


@lru_cache(maxsize=2048)
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def calls(path: Path, name: str, *, method: bool) -> Iterator[int]:
    """Lines where ``name`` is called, as a method or as a bare function."""
    for node in ast.walk(tree(path)):
        if not isinstance(node, ast.Call):
            continue
        called = node.func
        if isinstance(called, ast.Attribute) and called.attr == name:
            owner = called.value
            if method or (isinstance(owner, ast.Name) and owner.id in ("sa", "sqlalchemy", "sql")):
                yield node.lineno
        elif isinstance(called, ast.Name) and called.id == name and not method:
            yield node.lineno


def excused(path: Path, line: int) -> bool:
    """Whether the line says ``# lint: <reason>``."""
    return bool(re.search(r"#\s*lint:\s*\S{3,}", path.read_text(encoding="utf-8").splitlines()[line - 1]))


def place(path: Path, line: int) -> str:
    return f"{path.relative_to(ROOT)}:{line}"


def comments(path: Path) -> Iterator[tuple[int, str]]:
    for token in tokenize.generate_tokens(io.StringIO(path.read_text(encoding="utf-8")).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string


def test_queries_stand_in_repositories() -> None:
    found = [
        place(path, line)
        for path in python("operational")
        if not path.name.endswith("repository.py")
        for line in calls(path, "select", method=False)
        if not excused(path, line)
    ]
    assert not found, "select() outside repository.py: " + ", ".join(found)


def test_commits_stand_in_the_session_module() -> None:
    # Alembic gets a connection of its own; a migration is its own task.
    allowed = {ROOT / "operational" / "kit" / "db.py", ROOT / "operational" / "migrations" / "env.py"}
    found = [
        place(path, line)
        for path in python("operational")
        if path not in allowed
        for line in calls(path, "commit", method=True)
        if not excused(path, line)
    ]
    assert not found, "commit() outside operational/kit/db.py: " + ", ".join(found)


def test_no_file_is_too_long() -> None:
    long: list[str] = []
    for path in files():
        name = str(path.relative_to(ROOT))
        if path.name in NOT_READ or path.suffix in NOT_READ_SUFFIXES or name in NOT_READ_FILES:
            continue
        lines = len(path.read_text(encoding="utf-8").splitlines())
        if lines > LONGEST:
            long.append(f"{name} ({lines})")
    assert not long, f"longer than {LONGEST} lines: " + ", ".join(long)


def test_tests_do_not_sleep() -> None:
    found = [
        place(path, line)
        for path in python("tests")
        for line in (*calls(path, "sleep", method=True), *calls(path, "sleep", method=False))
        if not excused(path, line)
    ]
    assert not found, "a test waits for an event, not for a time: " + ", ".join(found)


def test_nothing_is_left_for_later() -> None:
    found: list[str] = []
    for path in files():
        if path.suffix in NOT_READ_SUFFIXES or path.name in NOT_READ:
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if UNFINISHED.search(line):
                found.append(place(path, number))
    assert not found, ", ".join(found)


def test_the_lock_names_no_registry() -> None:
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    assert "--hash=sha256:" in text
    assert not re.search(r"https?://|--index-url|--extra-index-url|--find-links", text)


@pytest.mark.parametrize("suffix", [".html", ".css", ".js"])
def test_pages_load_nothing_from_outside(suffix: str) -> None:
    found = [
        str(path.relative_to(ROOT))
        for path in files()
        if path.suffix == suffix and OUTSIDE.search(path.read_text(encoding="utf-8"))
    ]
    assert not found, ", ".join(found)


def test_silenced_warnings_give_a_reason() -> None:
    found: list[str] = []
    for path in python(*PACKAGES, "tests"):
        for number, comment in comments(path):
            match = SILENCED.search(comment)
            if match and len(match["rest"].strip(" #-:–—")) < 8:
                found.append(place(path, number))
    assert not found, "no reason beside it: " + ", ".join(found)


def test_every_module_says_what_it_is_for() -> None:
    found = [
        str(path.relative_to(ROOT))
        for path in python(*PACKAGES)
        if path.name != "__init__.py" and "migrations" not in path.parts and not ast.get_docstring(tree(path))
    ]
    assert not found, "no docstring: " + ", ".join(found)


def test_the_lake_has_one_thread() -> None:
    profile = (ROOT / "dbt_project" / "profiles.yml").read_text(encoding="utf-8")
    assert re.findall(r"^\s*threads:\s*(\S+)", profile, re.M) == ["1"] * profile.count("threads:")
