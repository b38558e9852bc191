"""The documents describe the tree as it is: commands, links, files, settings, dictionaries."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

from kmis.catalogue.dictionary import MARTS_FILE, PRODUCTS_FILE, STAGING_FILE, files
from kmis.catalogue.loader import catalogue
from kmis.cli.main import app
from kmis.cli.requirements import register_rows
from kmis.settings import Settings
from tests.docs.how_to import new_files

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
DOCUMENTS = sorted([ROOT / "README.md", ROOT / "dbt_project" / "README.md", *DOCS.rglob("*.md")])
# The definitions of the specification: those of either language edition, taken once.
DEFINITIONS = 23
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
FILE = re.compile(
    r"`((?:kmis|operational|pipelines|dashboards|exports|signal_sheets|device_ingest|dbt_project|tests|docs|reference)/[\w./-]+\.\w+)`"
)


def commands(command: object, prefix: str = "kmis") -> Iterator[str]:
    """Every command that can be typed, with its group; Typer brings a Click of its own, so groups are told by shape."""
    inner: dict[str, object] | None = getattr(command, "commands", None)
    if inner is None:
        yield prefix
    else:
        if prefix != "kmis" and getattr(command, "invoke_without_command", False):
            yield prefix
        for name, below in inner.items():
            yield from commands(below, f"{prefix} {name}")


def known_commands() -> set[str]:
    return set(commands(typer.main.get_command(app)))


def text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def section_rows(document: str, heading: str) -> list[list[str]]:
    """Cells of the table under a heading, without its head."""
    body = re.split(r"^## ", document.split(f"## {heading}\n", 1)[1], maxsplit=1, flags=re.M)[0]
    rows = [line for line in body.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows[2:]]


def test_readme_is_short_and_its_make_targets_exist() -> None:
    readme = text(ROOT / "README.md")
    assert len(readme.splitlines()) < 90
    targets = set(re.findall(r"^([a-z-]+):", text(ROOT / "Makefile"), re.M))
    named = {target for path in DOCUMENTS for target in re.findall(r"(?:`|^ {4})make ([a-z-]+)", text(path), re.M)}
    assert {"demo", "test", "test-long", "lint"} <= named
    assert named <= targets, named - targets


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_commands_named_in_a_document_exist(path: Path) -> None:
    known = known_commands()
    first_words = {command.split()[1] for command in known} | {"--help"}
    named = set(re.findall(r"(?:`|^ {4}\.venv/bin/|\.venv/bin/)kmis ([a-z-]+)", text(path), re.M))
    assert named <= first_words, named - first_words


def test_every_command_is_documented() -> None:
    documented = {cells[0].strip("`") for cells in section_rows(text(DOCS / "operations.md"), "Commands")}
    assert documented == known_commands()


def test_every_setting_is_documented() -> None:
    documented = {cells[0].strip("`") for cells in section_rows(text(DOCS / "operations.md"), "Settings")}
    assert documented == {f"KMIS_{name.upper()}" for name in Settings.model_fields}


def test_default_ports_of_the_documents_are_those_of_the_settings() -> None:
    defaults = {f"KMIS_{name.upper()}": field.default for name, field in Settings.model_fields.items()}
    for cells in section_rows(text(DOCS / "operations.md"), "Settings"):
        setting, stated = cells[0].strip("`"), cells[1].strip("`")
        assert stated == ("unset" if defaults[setting] is None else str(defaults[setting])), setting


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(path: Path) -> None:
    for target in LINK.findall(text(path)):
        if not target.startswith(("http:", "https:", "#")):
            assert (path.parent / target.split("#")[0]).exists(), target


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_named_files_exist(path: Path) -> None:
    made = new_files(path) if path.parent.name == "how-to" else set()
    missing = [name for name in FILE.findall(text(path)) if name not in made and not (ROOT / name).exists()]
    assert not missing


def test_every_how_to_names_files() -> None:
    how_tos = sorted((DOCS / "how-to").glob("add-*.md"))
    assert len(how_tos) >= 5
    for path in how_tos:
        assert len(FILE.findall(text(path))) >= 3, path.name


def test_glossary_has_every_definition_in_both_languages() -> None:
    glossary = text(DOCS / "glossary.md")
    definitions = section_rows(glossary, "Definitions of the specification")
    assert len(definitions) == DEFINITIONS
    rows = definitions + section_rows(glossary, "Local terms")
    for cells in rows:
        assert len(cells) == 4, cells
        assert all(cells), cells
    assert len({cells[0] for cells in rows}) == len(rows)
    for term in ("ИИН", "Участок", "ЖФВ", "ПУЗ", "Актив"):
        assert any(cells[0].startswith(term) for cells in rows), term


def test_decisions_are_numbered_and_listed() -> None:
    records = sorted((DOCS / "adr").glob("[0-9]*.md"))
    assert [int(path.name[:4]) for path in records] == list(range(1, len(records) + 1))
    index = text(DOCS / "adr" / "README.md")
    for path in records:
        record = text(path)
        assert len(record.splitlines()) <= 40, path.name
        for heading in ("Context", "Decision", "Consequences", "Alternatives"):
            assert f"\n## {heading}\n" in record, path.name
        assert record.startswith(f"# {path.name[:4]}. ")
        assert f"({path.name})" in index, path.name


def test_every_organisational_requirement_is_answered() -> None:
    rows = {line.split("|")[1].strip() for line in text(DOCS / "organisational.md").splitlines() if line[:3] != "| i"
            and line.startswith("| ")}  # fmt: skip
    assert rows == {row["id"] for row in register_rows() if row["kind"] == "organisational"}


@pytest.mark.parametrize("name", [STAGING_FILE, MARTS_FILE, PRODUCTS_FILE])
def test_dictionaries_are_current(name: str) -> None:
    assert text(DOCS / name) == files(catalogue())[name], "run: python -m kmis.catalogue.dictionary docs"
