"""The HTML page that loads Streamlit's front end, with the session watch in it and without its branding.

Streamlit answers every page address with one static file. It is read from the installed package at start and
changed in memory: title and language, the script of `session.js`, no inline script but the one whose hash the
content policy names.
"""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path

import streamlit

from dashboards.guard import WATCH_SCRIPT_PATH, ASGIApp, Receive, Scope, Send

_INNER_PREFIXES = ("/static/", "/_stcore/", "/media/", "/component/", "/_kmis/")
_INLINE = re.compile(r"<script>(.*?)</script>", re.DOTALL)


class Shell:
    """ASGI middleware that answers page addresses itself and hands everything else on."""

    def __init__(self, app: ASGIApp, title: str) -> None:
        self._app = app
        page = (Path(streamlit.__file__).parent / "static" / "index.html").read_text(encoding="utf-8")
        self.inline_hashes = tuple(_sha256(script) for script in _INLINE.findall(page))
        page = page.replace('<html lang="en">', '<html lang="kk">')
        page = page.replace("<title>Streamlit</title>", f"<title>{title}</title>")
        page = page.replace("</head>", f'<script src="{WATCH_SCRIPT_PATH}" defer></script></head>')
        # Addresses of pages may be deeper than one level, the package's links are relative to the first.
        self._page = page.replace('="./', '="/').encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] in {"GET", "HEAD"} and self._is_page(scope["path"]):
            headers = [
                (b"content-type", b"text/html; charset=utf-8"),
                (b"content-length", str(len(self._page)).encode()),
            ]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else self._page})
            return
        await self._app(scope, receive, send)

    @staticmethod
    def _is_page(path: str) -> bool:
        # The front end finds out where it is mounted by asking for `_stcore` below the page's own address.
        inner = path.startswith(_INNER_PREFIXES) or "/_stcore/" in path
        return not inner and "." not in path.rsplit("/", 1)[-1]


def _sha256(script: str) -> str:
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return f"'sha256-{digest}'"
