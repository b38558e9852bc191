"""Interface texts: `texts.yml` beside each package, `{key: {kk: …, ru: …}}`, both languages always."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path

import yaml

LANGUAGES = ("kk", "ru")
OPERATIONAL = Path(__file__).resolve().parent.parent
log = logging.getLogger(__name__)


def text_files() -> Iterator[Path]:
    """Every file of texts: the shell's and one per domain."""
    yield OPERATIONAL / "web" / "texts.yml"
    yield from sorted(OPERATIONAL.glob("domains/*/texts.yml"))


@lru_cache(maxsize=1)
def all_texts() -> Mapping[str, Mapping[str, str]]:
    """All texts by key. Raises ValueError when two files define one key."""
    texts: dict[str, Mapping[str, str]] = {}
    for path in text_files():
        for key, entry in (yaml.safe_load(path.read_text(encoding="utf-8")) or {}).items():
            if key in texts:
                raise ValueError(f"{path}: the text {key} is defined twice")
            texts[key] = entry
    return texts


def has_text(key: str) -> bool:
    """Whether the key is defined."""
    return key in all_texts()


def translate(language: str, key: str, **params: object) -> str:
    """The text of the key in the language. An unknown key shows itself between ⟦⟧, so that it is seen."""
    entry = all_texts().get(key)
    text = entry.get(language) if entry else None
    if text is None:
        log.warning("text %s has no %s edition", key, language)
        return f"⟦{key}⟧"
    return text.format_map({name: str(value) for name, value in params.items()}) if params else text
