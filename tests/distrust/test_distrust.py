"""The same seed gives the same figures wherever KMIS runs: another place, name, locale, zone, user, PostgreSQL."""

from __future__ import annotations

import json
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from kmis.clock import SystemClock, local_date
from kmis.postgres import free_port
from kmis.settings import Settings
from tests.docs.how_to import copy_tree

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = Path(pytest.__file__).parents[1]
SERVER = Path("/usr/lib/postgresql/15/bin")
SYSTEM_PYTHON = Path("/usr/bin/python3.11")
NOBODY = "nobody"
PEOPLE = ("demo", "--population", "150", "--years", "1", "--exit")
ELSEWHERE = {"LANG": "ru_RU.UTF-8", "LC_ALL": "C", "TZ": "America/St_Johns"}
pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """A folder that every user may pass through."""
    with tempfile.TemporaryDirectory(prefix="kmis-distrust-", ignore_cleanup_errors=True) as made:
        Path(made).chmod(0o755)
        yield Path(made)


def run(command: list[str], tree: Path, environment: dict[str, str], user: str | None = None) -> str:
    """Runs in the tree, with the packages of this environment and nothing else of it; gives the output."""
    clean = {"PATH": os.environ["PATH"], "HOME": str(tree), "PYTHONPATH": f"{tree}{os.pathsep}{PACKAGES}"}
    done = subprocess.run(
        command, cwd=tree, env=clean | {"PYTHONDONTWRITEBYTECODE": "1", "DO_NOT_TRACK": "1"} | environment, user=user,
        group=pwd.getpwnam(user).pw_gid if user else None, extra_groups=[] if user else None,
        capture_output=True, text=True, encoding="utf-8", check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


def figures(python: Path, tree: Path, environment: dict[str, str], user: str | None = None) -> dict[str, Any]:
    """Loads the demonstration and asks for every figure."""
    run([str(python), "-m", "kmis", *PEOPLE], tree, environment, user)
    last = local_date(SystemClock().now(), Settings().zone) - timedelta(days=7)
    script = (
        "import sys; from kmis.settings import get_settings; from kmis.postgres import server_running\n"
        "with server_running(get_settings()):\n"
        "    import runpy; sys.argv = ['figures', *sys.argv[1:]]\n"
        "    runpy.run_module('tests.distrust.figures', run_name='__main__')"
    )
    period = [(last - timedelta(days=300)).isoformat(), last.isoformat()]
    found: dict[str, Any] = json.loads(run([str(python), "-c", script, *period], tree, environment, user))
    return found


@pytest.fixture(scope="module")
def expected(folder: Path) -> dict[str, Any]:
    """The figures of the tree itself, here, as the tests run."""
    found = figures(Path(sys.executable), ROOT, {"KMIS_HOME": str(folder / "home")})
    assert any(product["figures"] and any(product["figures"].values()) for product in found.values())
    return found


def test_another_folder_locale_zone_and_user(folder: Path, expected: dict[str, Any]) -> None:
    """A folder with a space and Cyrillic letters; as root also another, ordinary user."""
    tree = copy_tree(ROOT, folder / "KMIS тест")
    user, python = None, Path(sys.executable)
    if os.geteuid() == 0:
        if not SYSTEM_PYTHON.exists():
            pytest.fail("no interpreter that an ordinary user may run: apt-get install python3.11", pytrace=False)
        user, python = NOBODY, SYSTEM_PYTHON
        owner = pwd.getpwnam(user)
        for path in (tree, *tree.rglob("*")):
            os.chown(path, owner.pw_uid, owner.pw_gid)
    assert figures(python, tree, ELSEWHERE | {"KMIS_HOME": ".kmis"}, user) == expected


@pytest.fixture
def debian_server(folder: Path) -> Iterator[str]:
    """The address of a PostgreSQL 15 of its own."""
    if not (SERVER / "postgres").exists():
        pytest.fail("PostgreSQL 15 is missing: apt-get install postgresql-15", pytrace=False)
    data, port = folder / "postgresql-15", free_port()
    user = "postgres" if os.geteuid() == 0 else None
    data.mkdir(mode=0o700)
    if user:
        shutil.chown(data, user)
    run([str(SERVER / "initdb"), "-D", str(data), "-U", "postgres", "--auth=trust", "--locale=C.UTF-8"],
        folder, {}, user)  # fmt: skip
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c timezone=Asia/Almaty"
    control = [str(SERVER / "pg_ctl"), "-D", str(data), "-w", "-l", str(data / "log")]
    subprocess.run([*control, "-o", options, "start"], check=True, user=user, cwd="/", stdout=subprocess.DEVNULL)
    yield f"postgresql://postgres@127.0.0.1:{port}/kmis"
    subprocess.run([*control, "-m", "fast", "stop"], check=True, user=user, cwd="/", stdout=subprocess.DEVNULL)


def test_debians_postgresql(folder: Path, expected: dict[str, Any], debian_server: str) -> None:
    """The oldest supported server, with another zone of its own."""
    environment = {"KMIS_HOME": str(folder / "home-15"), "KMIS_DATABASE_URL": debian_server, "LC_ALL": "ru_RU.UTF-8"}
    assert figures(Path(sys.executable), ROOT, environment) == expected
