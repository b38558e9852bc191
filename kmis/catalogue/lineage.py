"""What the dbt project's files say of tables, their columns and what is made from what, read without running dbt."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml
from jinja2 import Environment

STAGING = "stg_operational__"


@dataclass(frozen=True)
class Table:
    """A model or seed with its description, columns and the folder that it lies in."""

    name: str
    folder: str
    description: str
    columns: tuple[dict[str, Any], ...]
    meta: dict[str, Any]

    @property
    def staging(self) -> bool:
        return self.name.startswith(STAGING)

    @property
    def key(self) -> str | None:
        """The column that names a row, when it is one column."""
        return next((str(c["name"]) for c in self.columns if "unique" in (c.get("data_tests") or [])), None)


@dataclass
class Lineage:
    """All tables by name, and the direct parents of each model, ephemeral ones included."""

    tables: dict[str, Table]
    direct: dict[str, frozenset[str]]
    kept: frozenset[str] = field(default_factory=frozenset)

    def in_folder(self, folder: str) -> list[Table]:
        return sorted((t for t in self.tables.values() if t.folder == folder), key=lambda table: table.name)

    def parents(self, name: str) -> list[str]:
        """Tables that the model reads, through ephemeral models."""
        return sorted(set(self._kept_parents(name)))

    def _kept_parents(self, name: str) -> Iterator[str]:
        for parent in self.direct.get(name, frozenset()):
            if parent in self.kept:
                yield parent
            else:
                yield from self._kept_parents(parent)

    def children(self, name: str) -> list[str]:
        """Models that read the table."""
        return sorted(self._children.get(name, set()))

    @cached_property
    def _children(self) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        for name in self.kept:
            for parent in self.parents(name):
                found.setdefault(parent, set()).add(name)
        return found

    def operational(self, name: str) -> list[str]:
        """Operational tables whose change can move the table."""
        seen: set[str] = set()
        waiting = [name]
        while waiting:
            for parent in self.direct.get(waiting.pop(), frozenset()) - seen:
                seen.add(parent)
                waiting.append(parent)
        return sorted(parent.removeprefix(STAGING) for parent in seen if parent.startswith(STAGING))

    def source(self, table: Table, column: dict[str, Any]) -> str:
        """The operational column that a column shows under its own name; empty where the model computes it."""
        name = str(column["name"])
        if table.staging:
            meta = column.get("config", {}).get("meta") or {}
            if "local_date_of" in meta:
                return ""
            field_name = "id" if meta.get("field") == "key" else meta.get("field", name)
            return f"{table.name.removeprefix(STAGING)}.{field_name}"
        above = (self.tables[STAGING + parent] for parent in self.operational(table.name))
        origin = next((found for found in above if found.key == table.key), None)
        shown = next((c for c in origin.columns if c["name"] == name), None) if origin and table.key else None
        return self.source(origin, shown) if origin and shown else ""


def read_project(project: Path) -> Lineage:
    """Reads YAML, SQL and macros of the project; every model is rendered once, as dbt does to parse it."""
    tables = {table.name: table for table in _tables(project)}
    macros = "".join(file.read_text(encoding="utf-8") for file in sorted(project.glob("macros/*.sql")))
    direct: dict[str, frozenset[str]] = {}
    ephemeral: set[str] = set()
    for file in sorted(project.glob("models/**/*.sql")):
        asked, told = _rendered(macros + file.read_text(encoding="utf-8"))
        direct[file.stem] = frozenset(asked)
        if told.get("materialized") == "ephemeral":
            ephemeral.add(file.stem)
    return Lineage(tables, direct, frozenset(set(tables) - ephemeral))


def _rendered(text: str) -> tuple[set[str], dict[str, Any]]:
    """The tables that a model asks for with ``ref``, and its ``config``."""
    asked: set[str] = set()
    told: dict[str, Any] = {}

    def ref(name: str) -> str:
        asked.add(name)
        return name

    def config(**values: Any) -> str:
        told.update(values)
        return ""

    names = {"ref": ref, "config": config, "execute": False, "model": {}, "this": "this", "target": {}}
    names |= {"source": lambda *names: ".".join(names), "var": lambda _, default=0: default}
    names |= {"env_var": lambda _, default="": default}
    environment = Environment(extensions=["jinja2.ext.do"])  # noqa: S701  # SQL of the project, not a page
    environment.from_string(text).render(names)
    return asked, told


def _tables(project: Path) -> Iterator[Table]:
    for top in ("models", "seeds"):
        for file in sorted((project / top).glob("**/*.yml")):
            content = yaml.safe_load(file.read_text(encoding="utf-8")) or {}
            for entry in (*content.get("models", []), *content.get("seeds", [])):
                yield Table(
                    name=str(entry["name"]),
                    folder=str(file.parent.relative_to(project)),
                    description=str(entry.get("description", "")),
                    columns=tuple(entry.get("columns", [])),
                    meta=dict(entry.get("config", {}).get("meta") or {}),
                )
