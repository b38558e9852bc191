"""Serves Dagster's web interface inside the session guard; nothing else of Dagster listens on a TCP port.

`python -m dashboards.dagster_ui` builds the webserver's ASGI application in this process. The code server
that it starts listens on a Unix socket. Dagster has no users of its own: whoever may only look gets a
read-only context, so that every mutation is refused by Dagster itself.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import uvicorn
from dagster import DagsterInstance
from dagster._core.errors import DagsterUserCodeUnreachableError
from dagster._core.instance.ref import InstanceRef
from dagster._core.workspace.context import WorkspaceProcessContext, WorkspaceRequestContext
from dagster._core.workspace.load_target import WorkspaceFileTarget
from dagster._grpc.client import DagsterGrpcClient
from dagster_webserver.webserver import DagsterWebserver
from starlette.requests import HTTPConnection

from dashboards import services
from dashboards.guard import SCOPE_KEY, ASGIApp, Guard, GuardPolicy, Receive, Scope, Send
from dashboards.refusals import STARTING, refusal_page
from dashboards.sessions import Sessions
from kmis.settings import Settings, get_settings

PERMISSION: Final = "pipelines.read"
RUN_PERMISSION: Final = "pipelines.run"
LIVE_DATA_POLL_MS: Final = 5000
STATEMENT_TIMEOUT_MS: Final = 15_000
_QUIET: Final = {"telemetry": {"enabled": False}, "nux": {"enabled": False}}

# The interface brings its own script policy with a nonce; this one keeps it from talking to other hosts.
NARROWING_POLICY: Final = (
    "script-src 'self' 'unsafe-inline' 'unsafe-eval'; connect-src 'self' ws://{host} wss://{host}; "
    "img-src 'self' data: blob:; font-src 'self' data:; "
    "worker-src 'self' blob:; frame-src 'self'"
)


class GuardedWorkspace(WorkspaceProcessContext):
    """A workspace in which only holders of `pipelines.run` may start, stop or change anything."""

    def create_request_context(self, source: object | None = None) -> WorkspaceRequestContext:
        """The context of one request, read-only unless the guard's identity says otherwise."""
        identity = source.scope.get(SCOPE_KEY) if isinstance(source, HTTPConnection) else None
        return WorkspaceRequestContext(
            instance=self.instance,
            current_workspace=self.get_current_workspace(),
            process_context=self,
            version=self.version,
            source=source,
            read_only=identity is None or RUN_PERMISSION not in identity.permissions,
        )


def build(inner: ASGIApp, settings: Settings, sessions: Sessions) -> ASGIApp:
    """The interface inside the guard."""
    return Guard(
        inner,
        sessions,
        GuardPolicy(PERMISSION, settings.port, narrowing_policy=NARROWING_POLICY),
    )


def _wait_for_code(settings: Settings) -> None:
    """Blocks until the code server has loaded the models; before that its location would stand as broken."""
    client = DagsterGrpcClient(socket=str(settings.code_socket))
    pause = threading.Event()
    while True:
        try:
            client.ping("")
        except DagsterUserCodeUnreachableError:
            pause.wait(1.0)
        else:
            return


@contextmanager
def dagster_app(settings: Settings) -> Iterator[ASGIApp]:
    """Dagster's ASGI application on the installation's code server, as soon as that one answers."""
    settings.dagster_home.mkdir(parents=True, exist_ok=True)
    # The code server is a child process and finds the instance by this variable.
    os.environ["DAGSTER_HOME"] = str(settings.dagster_home)
    # Whatever the instance's file says, nothing is reported to or asked by the makers of Dagster.
    quiet = InstanceRef.from_dir(str(settings.dagster_home), overrides=_QUIET)
    with DagsterInstance.from_ref(quiet) as instance:
        instance.optimize_for_webserver(STATEMENT_TIMEOUT_MS, pool_recycle=3600, max_overflow=20)
        _wait_for_code(settings)
        target = WorkspaceFileTarget([str(settings.dagster_workspace)])
        with GuardedWorkspace(instance, target) as workspace:
            yield DagsterWebserver(workspace, live_data_poll_rate=LIVE_DATA_POLL_MS).create_asgi_app()


class LateApp:
    """Stands for an application that is still loading: the code server reads all models before it answers."""

    def __init__(self, sign_in_url: str) -> None:
        self._app: ASGIApp | None = None
        self._sign_in_url = sign_in_url

    def ready(self, app: ASGIApp) -> None:
        """From now on the application answers."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            for step in ("startup", "shutdown"):
                await receive()
                await send({"type": f"lifespan.{step}.complete"})
        elif self._app is not None:
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            headers = [(b"content-type", b"text/html; charset=utf-8"), (b"retry-after", b"15")]
            await send({"type": "http.response.start", "status": STARTING.status, "headers": headers})
            await send({"type": "http.response.body", "body": refusal_page(STARTING, self._sign_in_url)})
        else:
            await receive()
            await send({"type": "websocket.close", "code": STARTING.close_code})


def main() -> None:
    """Serves until it is told to stop; ends when Dagster cannot be loaded, so that the supervisor tries again."""
    settings = get_settings()
    late = LateApp(f"http://{settings.link_host}:{settings.port}/")
    server = uvicorn.Server(
        uvicorn.Config(
            build(late, settings, Sessions(services.session_checker(settings))),
            host=settings.host,
            port=settings.dagster_port,
            log_level="warning",
            access_log=False,
            server_header=False,
        )
    )
    stop = threading.Event()

    def load() -> None:
        try:
            with dagster_app(settings) as inner:
                late.ready(inner)
                stop.wait()
        finally:
            server.should_exit = True

    loader = threading.Thread(target=load, name="dagster")
    loader.start()
    try:
        server.run()
    finally:
        stop.set()
        loader.join()


if __name__ == "__main__":
    main()
