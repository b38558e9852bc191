"""Roles of an installation, read from `roles.yml`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import yaml


@dataclass(frozen=True, slots=True)
class RoleDefinition:
    """A role with its names and permissions."""

    code: str
    name_kk: str
    name_ru: str
    permissions: tuple[str, ...]


@lru_cache(maxsize=1)
def role_definitions() -> Mapping[str, RoleDefinition]:
    """The roles by code."""
    data = yaml.safe_load((Path(__file__).parent / "roles.yml").read_text(encoding="utf-8"))
    return {
        code: RoleDefinition(code, role["name_kk"], role["name_ru"], tuple(role["permissions"]))
        for code, role in data["roles"].items()
    }


def all_permissions() -> frozenset[str]:
    """Every permission that some role holds."""
    return frozenset(p for role in role_definitions().values() for p in role.permissions)
