"""The data file of the domain's rules: coded tests, notes of intervals, windows of the viewer."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict

FILE = Path(__file__).resolve().parent / "rules" / "results.yml"


class Rules(BaseModel):
    """What ``rules/results.yml`` says. A window is its centre and width in the units of the image."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    source: str
    coded: dict[str, tuple[str, ...]]
    pregnancy_notes: tuple[str, ...]
    other_population_notes: tuple[str, ...]
    collected_within_days: int
    windows: dict[str, tuple[float, float]]
    units_kk: dict[str, str]


@lru_cache(maxsize=1)
def rules() -> Rules:
    """The rules, read once per process."""
    return Rules.model_validate(yaml.safe_load(FILE.read_text(encoding="utf-8")))
