"""Compiles one typst template in a process of its own, so that a large table cannot take the server's memory.

Run as ``python -m exports.pdf_worker TEMPLATE FOLDER MEGABYTES``: reads ``FOLDER/data.json``, writes
``FOLDER/out.pdf``. The template is copied beside its data because typst reads files below its root only.
"""

from __future__ import annotations

import os
import resource
import shutil
import sys
from pathlib import Path

TEMPLATES = Path(__file__).parent / "templates"


def compile_piece(template: str, folder: Path) -> None:
    """Write ``out.pdf`` of the template and ``data.json`` in the folder. The fonts are those inside the
    wheel.
    """
    import typst

    source = folder / template
    shutil.copyfile(TEMPLATES / template, source)
    typst.compile(source, folder / "out.pdf", root=folder, ignore_system_fonts=True, pdf_tags=False)


def main(arguments: list[str]) -> None:
    """The process: limit the memory first, then work on one thread (each thread would reserve its own
    arena).
    """
    template, folder, megabytes = arguments
    limit = int(megabytes) * 1024 * 1024
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    os.environ["RAYON_NUM_THREADS"] = "1"
    compile_piece(template, Path(folder))


if __name__ == "__main__":
    main(sys.argv[1:])
