"""Installs the programs that tests drive and that no wheel brings: a browser, dcmtk, restic, an old server and others.

As root on Debian they are installed; otherwise a missing one ends the run with the command that installs it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

PROGRAMS = {
    "chromium": "chromium",
    "soffice": "libreoffice-calc-nogui",
    "pdftotext": "poppler-utils",
    "restic": "restic",
}
# Files that stand for packages without a program on the PATH (the virtual environment has a storescu of its own).
FILES = {
    "/usr/bin/storescu": "dcmtk",
    "/usr/lib/python3/dist-packages/uno.py": "python3-uno",
    "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf": "fonts-dejavu-core",
    # The oldest supported server, and an interpreter that an ordinary user may run.
    "/usr/lib/postgresql/15/bin/postgres": "postgresql-15",
    "/usr/bin/python3.11": "python3.11",
}


def missing_packages() -> list[str]:
    """Debian packages of the programs that are not there."""
    missing = [package for program, package in PROGRAMS.items() if shutil.which(program) is None]
    missing += [package for path, package in FILES.items() if not Path(path).exists()]
    return sorted(set(missing))


def main() -> int:
    """Install what is missing; 1 with the command to type when that is not allowed."""
    missing = missing_packages()
    if not missing:
        return 0
    command = ["apt-get", "install", "--yes", "--no-install-recommends", *missing]
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        print(f"missing: {', '.join(missing)}; install with: sudo {' '.join(command)}")
        return 1
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run(["apt-get", "update", "-qq"], check=True, env=environment)
    subprocess.run([*command[:2], "-qq", *command[2:]], check=True, env=environment, stdout=subprocess.DEVNULL)
    still = missing_packages()
    if still:
        print(f"still missing after installing: {', '.join(still)}")
    return 1 if still else 0


if __name__ == "__main__":
    sys.exit(main())
