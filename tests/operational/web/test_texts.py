"""Every text has both languages, is defined where it is used, and fits its parameters."""

from __future__ import annotations

import ast
import re
import string
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from operational.web.environment import environment
from operational.web.texts import LANGUAGES, OPERATIONAL, all_texts, text_files, translate

IN_TEMPLATE = re.compile(r"""\bt\(\s*["']([^"'~]+)["']\s*([~,)])""")
COMMENT = re.compile(r"\{#.*?#\}", re.DOTALL)
KEY = re.compile(r"^[a-z][a-z0-9_]*(\.[a-z0-9_]+)+$")
# Names of arguments and fields that hold a text key in Python.
KEY_NAMES = {"text_key", "hint_key", "message_key", "title_key", "label_key"}
KAZAKH = set("әғқңөұүһіӘҒҚҢӨҰҮҺІ")


def templates() -> list[Path]:
    return sorted([*OPERATIONAL.glob("web/templates/**/*.html"), *OPERATIONAL.glob("domains/*/templates/**/*.html")])


def sources() -> list[Path]:
    return sorted(
        [*OPERATIONAL.glob("web/**/*.py"), *OPERATIONAL.glob("domains/**/*.py"), *OPERATIONAL.glob("kit/*.py")]
    )


def used_in_templates() -> Iterator[tuple[str, str, bool]]:
    """(file, key or its beginning, whether it is only the beginning)."""
    for path in templates():
        for key, follows in IN_TEMPLATE.findall(COMMENT.sub("", path.read_text(encoding="utf-8"))):
            yield path.name, key, follows == "~"


def used_in_python() -> Iterator[tuple[str, str]]:
    for path in sources():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                named = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
                literals = {"Flash": node.args[:1], "NavItem": node.args[:1], "Tile": node.args[:1]}
                literals |= {"Column": node.args[:1], "translate": node.args[1:2]}
                found = [*literals.get(named, []), *[k.value for k in node.keywords if k.arg in KEY_NAMES]]
            elif isinstance(node, ast.Assign | ast.AnnAssign):
                target = node.targets[0] if isinstance(node, ast.Assign) else node.target
                named_so = isinstance(target, ast.Name) and target.id in KEY_NAMES
                found = [node.value] if named_so and node.value is not None else []
            else:
                continue
            for value in found:
                if isinstance(value, ast.Constant) and isinstance(value.value, str) and value.value:
                    yield path.name, value.value


def fields_of(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("path", list(text_files()), ids=lambda p: p.parent.name)
def test_file_defines_each_key_once(path: Path) -> None:
    keys = [
        line.split(":")[0] for line in path.read_text(encoding="utf-8").splitlines() if KEY.match(line.split(":")[0])
    ]
    assert sorted(set(keys)) == sorted(keys)
    assert yaml.safe_load(path.read_text(encoding="utf-8"))


def test_both_languages_and_the_same_parameters() -> None:
    wrong = {
        key
        for key, entry in all_texts().items()
        if set(entry) != set(LANGUAGES)
        or not all(isinstance(text, str) and text.strip() for text in entry.values())
        or fields_of(entry["kk"]) != fields_of(entry["ru"])
    }
    assert not wrong


def test_no_kazakh_letters_in_russian() -> None:
    """A Russian edition with Kazakh letters is a mix-up of the columns."""
    assert not {key for key, entry in all_texts().items() if KAZAKH & set(entry["ru"])}


def test_used_in_templates_are_defined() -> None:
    texts = all_texts()
    missing = {
        (name, key)
        for name, key, beginning in used_in_templates()
        if (not any(known.startswith(key) for known in texts) if beginning else key not in texts)
    }
    assert not missing


def test_used_in_python_are_defined() -> None:
    assert not {(name, key) for name, key in used_in_python() if key not in all_texts()}


def test_templates_compile() -> None:
    for name in environment().list_templates(extensions=["html"]):
        environment().get_template(name)


def test_templates_hold_no_text_of_their_own() -> None:
    """Words stand in texts.yml; a template may name the two languages in themselves."""
    cyrillic = re.compile(r"[А-Яа-яЁёӘәҒғҚқҢңӨөҰұҮүҺһІі]{3,}")
    allowed = {"Қаз", "Рус", "Қазақша", "Русский"}
    found = {
        (path.name, word)
        for path in templates()
        for word in cyrillic.findall(COMMENT.sub("", path.read_text(encoding="utf-8")))
        if word not in allowed
    }
    assert not found


def test_templates_need_no_inline_script_or_style() -> None:
    inline = re.compile(r"<script(?![^>]*\bsrc=)|\son[a-z]+=|\sstyle=|<style|hx-on", re.IGNORECASE)
    assert not {path.name for path in templates() if inline.search(path.read_text(encoding="utf-8"))}


def test_unknown_key_shows_itself() -> None:
    assert translate("kk", "nothing.of.the.kind") == "⟦nothing.of.the.kind⟧"
