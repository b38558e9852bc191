"""Static files: our own modules and the packaged htmx, under addresses that name their content.

The address changes with the content, so a browser on a slow line keeps a file for ever and never an old one.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

from fastapi import FastAPI
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

OWN = Path(__file__).resolve().parent / "static"


class HashedFiles(StaticFiles):
    """Files whose address holds a hash of the content: cached without asking again."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """The file with a far-future cache header."""
        response = await super().get_response(path, scope)
        if response.status_code == 200:
            response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        return response


@lru_cache(maxsize=1)
def htmx_folder() -> Path:
    """The folder of htmx inside the package django-js-lib-htmx (its static files only, no Django)."""
    spec = find_spec("js_lib_htmx")
    if spec is None or not spec.submodule_search_locations:
        raise RuntimeError("the package django-js-lib-htmx is not installed")
    return Path(spec.submodule_search_locations[0]) / "static" / "htmx"


@lru_cache(maxsize=4)
def tree_hash(folder: Path) -> str:
    """Twelve hexadecimal digits that change with any file under the folder."""
    digest = hashlib.sha256()
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        digest.update(str(path.relative_to(folder)).encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def static_url(path: str) -> str:
    """The address of one of our files, for instance `css/kmis.css`, or of `lib/htmx.min.js`."""
    if path.startswith("lib/"):
        return f"/static/lib/{tree_hash(htmx_folder())}/{path.removeprefix('lib/')}"
    return f"/static/own/{tree_hash(OWN)}/{path}"


def mount_static(app: FastAPI) -> None:
    """Serve both folders."""
    app.mount(f"/static/lib/{tree_hash(htmx_folder())}", HashedFiles(directory=htmx_folder()), name="static-lib")
    app.mount(f"/static/own/{tree_hash(OWN)}", HashedFiles(directory=OWN), name="static-own")
