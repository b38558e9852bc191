"""Each how-to is followed to the letter in a copy of the tree; one small demonstration serves those that need data."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory

from kmis.postgres import free_port
from kmis.settings import Settings
from operational.migrate import alembic_config
from tests.docs.how_to import blocks, copy_tree, follow

ROOT = Path(__file__).resolve().parents[2]
HOW_TO = ROOT / "docs" / "how-to"
BIN = Path(sys.executable).parent
PORTS = ("KMIS_PORT", "KMIS_DASHBOARDS_PORT", "KMIS_DAGSTER_PORT", "KMIS_DICOM_PORT", "KMIS_MLLP_PORT")
PEOPLE = "200"
pytestmark = pytest.mark.timeout(900)


def environment(home: Path) -> dict[str, str]:
    """An installation of its own, with ports that nobody has."""
    path = f"{BIN}{os.pathsep}{os.environ['PATH']}"
    return {"PATH": path, "KMIS_HOME": str(home)} | {name: str(free_port()) for name in PORTS}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of the tree, which the how-to changes."""
    return copy_tree(ROOT, tmp_path / "kmis")


@pytest.fixture(scope="module")
def demonstration() -> Iterator[Path]:
    """A small synthetic region, loaded, refreshed once, and stopped; every system user may pass the folder above it."""
    with tempfile.TemporaryDirectory(prefix="kmis-how-to-") as folder:
        Path(folder).chmod(0o755)
        yield loaded(Path(folder) / "home")


def loaded(home: Path) -> Path:
    done = subprocess.run(
        [str(BIN / "kmis"), "demo", "--population", PEOPLE, "--years", "1", "--exit"],
        cwd=ROOT, env=os.environ | environment(home), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return home


@pytest.fixture
def installed(demonstration: Path) -> Iterator[dict[str, str]]:
    """The environment of a demonstration that the how-to may change."""
    home = demonstration.with_name("own")
    shutil.copytree(demonstration, home, symlinks=True)
    keep_owner(demonstration, home)
    environ = environment(home)
    yield environ
    subprocess.run([str(BIN / "kmis"), "down"], env=os.environ | environ, capture_output=True, check=False)
    shutil.rmtree(home)


def keep_owner(source: Path, target: Path) -> None:
    """The copied cluster belongs to the same system user as the cluster."""
    for path in (source / "postgres", *(source / "postgres").rglob("*")):
        owner = path.lstat()
        os.chown(target / path.relative_to(source), owner.st_uid, owner.st_gid, follow_symlinks=False)


def test_every_how_to_is_followed() -> None:
    pages = {path.stem for path in HOW_TO.glob("add-*.md")}
    assert pages == {"add-a-fact", "add-a-product", "add-a-screen", "add-a-device", "add-a-signal-rule"}
    for page in pages:
        assert any(block.language == "console" for block in blocks(HOW_TO / f"{page}.md")), page


def test_the_example_of_a_migration_follows_the_newest() -> None:
    """The long test would find two heads; this says it at once."""
    (newest,) = ScriptDirectory.from_config(alembic_config(Settings())).get_heads()
    assert f'down_revision = "{newest}"' in (HOW_TO / "add-a-fact.md").read_text(encoding="utf-8")


def test_a_screen(tree: Path, tmp_path: Path) -> None:
    follow(HOW_TO / "add-a-screen.md", tree, environment(tmp_path / "home"))


def test_a_signal_rule(tree: Path, tmp_path: Path) -> None:
    follow(HOW_TO / "add-a-signal-rule.md", tree, environment(tmp_path / "home"))


def test_a_product(tree: Path, installed: dict[str, str]) -> None:
    follow(HOW_TO / "add-a-product.md", tree, installed)


@pytest.mark.long
def test_a_device(tree: Path, installed: dict[str, str]) -> None:
    follow(HOW_TO / "add-a-device.md", tree, installed)


@pytest.mark.long
def test_a_fact(tree: Path, installed: dict[str, str]) -> None:
    follow(HOW_TO / "add-a-fact.md", tree, installed)
