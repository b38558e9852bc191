"""Interface texts of the dashboards in Kazakh and Russian (`texts.yml`)."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import yaml

from kmis.catalogue.models import Language
from kmis.query import MESSAGES


@lru_cache(maxsize=1)
def all_texts() -> dict[str, dict[str, str]]:
    """Every key with its texts by language."""
    loaded: dict[str, dict[str, str]] = yaml.safe_load(
        (Path(__file__).parent / "texts.yml").read_text(encoding="utf-8")
    )
    return {**loaded, **MESSAGES}


class Texts:
    """The texts of one language; an unknown key is a KeyError."""

    def __init__(self, language: str) -> None:
        self.language: Language = "ru" if language == "ru" else "kk"

    def __call__(self, key: str, **values: object) -> str:
        text = all_texts()[key][self.language]
        return text.format(**values) if values else text
