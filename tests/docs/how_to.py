"""Reads a how-to as its reader does: files to write, lines to add, commands to type and what they answer.

The rules that a how-to is written by stand in ``docs/how-to/README.md``.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

FENCE = re.compile(r"(?ms)^(?P<label>[^\n]*)\n\n?```(?P<language>\w+)\n(?P<body>.*?)^```$")
NEW = re.compile(r"New file `(?P<path>[^`]+)`:$")
END = re.compile(r"At the end of `(?P<path>[^`]+)`:$")
AFTER = re.compile(r"In `(?P<path>[^`]+)`, after `(?P<line>[^`]+)`:$")
LEFT_OUT = shutil.ignore_patterns(
    ".git", ".venv", ".kmis", "__pycache__", ".*_cache", ".hypothesis", "target", "logs", "*.egg-info"
)


class NotAsWritten(AssertionError):
    """The how-to cannot be followed; the message says at which block."""


@dataclass(frozen=True, slots=True)
class Block:
    """One fenced block and the line above it, which says what to do with it."""

    label: str
    language: str
    body: str


@dataclass(frozen=True, slots=True)
class Typed:
    """A command of a console block, and what the how-to shows below it."""

    command: str
    shown: tuple[str, ...]


def blocks(document: Path) -> list[Block]:
    """The fenced blocks of a document, in order."""
    text = document.read_text(encoding="utf-8")
    found = [Block(one["label"].strip(), one["language"], one["body"]) for one in FENCE.finditer(text)]
    if len(found) * 2 != len(re.findall(r"(?m)^ *```", text)):
        raise NotAsWritten(f"{document.name}: a block is indented, open, or has no line above it")
    return found


def new_files(document: Path) -> set[str]:
    """The files that a document makes."""
    return {match["path"] for block in blocks(document) if (match := NEW.search(block.label))}


def typed(body: str) -> Iterator[Typed]:
    """The commands of a console block: lines after ``$``, a backslash continues; other lines are their output."""
    command, shown, going_on = "", list[str](), False
    for line in body.splitlines():
        if going_on:
            command += f"\n{line}"
        elif line.startswith("$ "):
            if command:
                yield Typed(command, tuple(shown))
            command, shown = line[2:], []
        elif line.strip():
            shown.append(line.strip())
        going_on = line.endswith("\\") and not shown
    if command:
        yield Typed(command, tuple(shown))


def copy_tree(source: Path, target: Path) -> Path:
    """The tree without what is made in it."""
    shutil.copytree(source, target, ignore=LEFT_OUT)
    return target


class Shell:
    """One bash that lives through a how-to, so that what a block sets the next one has."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self.process = subprocess.Popen(
            ["bash", "--norc", "--noprofile"], cwd=folder, env=dict(environment), text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip

    def type(self, wanted: Typed) -> None:
        """Run a command. Raises NotAsWritten when it fails or answers something else."""
        mark = secrets.token_hex(8)
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{wanted.command}\necho {mark} $?\n")
        self.process.stdin.flush()
        lines: list[str] = []
        for line in self.process.stdout:
            before, sign, code = line.partition(mark)
            lines.append(before if sign else line)
            if sign:
                break
        else:
            raise NotAsWritten(f"$ {wanted.command}\nended the shell:\n{''.join(lines)}")
        if code.strip() != "0":
            raise NotAsWritten(f"$ {wanted.command}\nended with {code.strip()}:\n{''.join(lines)}")
        missing = unseen(wanted.shown, "".join(lines))
        if missing is not None:
            raise NotAsWritten(f"$ {wanted.command}\ndoes not say: {missing}\nbut:\n{''.join(lines)}")

    def close(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait(60)
        if self.process.stdout is not None:
            self.process.stdout.close()


def unseen(shown: tuple[str, ...], output: str) -> str | None:
    """The first line that the how-to shows and the output has not, in this order; an ellipsis stands for any text."""
    place = 0
    for line in shown:
        pattern = r"[^\n]*".join(r"\s+".join(map(re.escape, part.split())) for part in line.split("…"))
        found = re.compile(pattern).search(output, place)
        if found is None:
            return line
        place = found.end()
    return None


def follow(document: Path, tree: Path, environment: Mapping[str, str]) -> None:
    """Do in the tree what the document says, block by block. Raises NotAsWritten where that is not possible."""
    own = {
        "PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1", "DO_NOT_TRACK": "1", "TERM": "dumb", "COLUMNS": "200",
    }  # fmt: skip
    shell = Shell(tree, os.environ | dict(environment) | own)
    try:
        for block in blocks(document):
            if block.language == "console":
                for command in typed(block.body):
                    shell.type(command)
            else:
                write(block, tree)
    finally:
        shell.close()


def write(block: Block, tree: Path) -> None:
    """Make or change the file that the label names."""
    if match := NEW.search(block.label):
        file = tree / match["path"]
        if file.exists():
            raise NotAsWritten(f"{match['path']} is there already")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(block.body, encoding="utf-8")
    elif match := END.search(block.label):
        file = tree / match["path"]
        file.write_text(file.read_text(encoding="utf-8").rstrip("\n") + "\n" + block.body, encoding="utf-8")
    elif match := AFTER.search(block.label):
        file = tree / match["path"]
        lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
        places = [place for place, line in enumerate(lines) if line.strip() == match["line"].strip()]
        if len(places) != 1:
            raise NotAsWritten(f"{match['path']}: the line {match['line']} is there {len(places)} times")
        lines.insert(places[0] + 1, block.body)
        file.write_text("".join(lines), encoding="utf-8")
    else:
        raise NotAsWritten(f"the line above a block says neither file nor place: {block.label}")
