"""Serves the dashboards: Streamlit as an ASGI application inside the session guard.

`python -m dashboards.server` listens on the host and the dashboards port of the settings. Nothing is fetched
from or reported to an outside host: fonts and scripts come out of the installed package.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import uvicorn
from streamlit.starlette import App
from streamlit.web.bootstrap import load_config_options

from dashboards import services
from dashboards.guard import ASGIApp, Guard, GuardPolicy
from dashboards.sessions import Sessions
from dashboards.shell import Shell
from dashboards.theme import STREAMLIT_OPTIONS
from kmis.settings import Settings, get_settings

PERMISSION: Final = "analytics.read"
TITLE: Final = "КМАЖ · КМИС"
SCRIPT: Final = Path(__file__).parent / "script" / "run.py"


def content_policy(inline_hashes: tuple[str, ...]) -> str:
    """The narrowest policy that Streamlit's front end and its Plotly build work with.

    Both write styles into elements; the data grid and Plotly draw images from `data:` and `blob:`; the socket
    of the page needs `ws:` spelled out for Firefox 115, whose `'self'` does not cover it.
    """
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src 'self' 'wasm-unsafe-eval' {' '.join(inline_hashes)}".rstrip(),
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "font-src 'self' data:",
            "connect-src 'self' ws://{host} wss://{host}",
            "worker-src 'self' blob:",
            "manifest-src 'self'",
            "media-src 'self'",
        )
    )


def build(settings: Settings, sessions: Sessions) -> ASGIApp:
    """The guarded application; `sessions` is also what the pages ask who their user is."""
    load_config_options(
        {
            **STREAMLIT_OPTIONS,
            "server.port": settings.dashboards_port,
            "server.address": settings.host,
            "browser.serverAddress": settings.link_host,
        }
    )
    services.use_sessions(sessions)
    shell = Shell(App(SCRIPT), TITLE)
    policy = GuardPolicy(PERMISSION, settings.port, content_security_policy=content_policy(shell.inline_hashes))
    return Guard(shell, sessions, policy)


def main() -> None:
    """Serves until it is told to stop."""
    settings = get_settings()
    app = build(settings, Sessions(services.session_checker(settings)))
    try:
        uvicorn.run(
            app,
            host=settings.host,
            port=settings.dashboards_port,
            log_level="warning",
            access_log=False,
            server_header=False,
        )
    finally:
        services.close()


if __name__ == "__main__":
    main()
