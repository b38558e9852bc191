"""The import contracts of ``.importlinter`` name every part, so that a new one cannot stand outside them."""

from __future__ import annotations

import configparser
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
COMPOSERS = {"cli", "cli_lake", "bench", "__main__"}


def contract(name: str) -> configparser.SectionProxy:
    parser = configparser.ConfigParser()
    parser.read(ROOT / ".importlinter", encoding="utf-8")
    return parser[f"importlinter:contract:{name}"]


def modules(package: str) -> set[str]:
    """Modules and packages directly below a package."""
    folder = ROOT.joinpath(*package.split("."))
    found = {path.stem for path in folder.glob("*.py") if path.stem != "__init__"}
    return found | {path.parent.name for path in folder.glob("*/__init__.py")}


def test_every_domain_has_a_tier() -> None:
    named = {part for line in contract("tiers")["layers"].splitlines() for part in line.replace("|", " ").split()}
    missing = {f"operational.domains.{name}" for name in modules("operational.domains")} - named
    assert not missing


def test_every_shared_module_is_under_contract() -> None:
    named = set(contract("shared")["source_modules"].split())
    missing = {f"kmis.{name}" for name in modules("kmis") - COMPOSERS} - named
    assert not missing
