"""``python -m device_ingest.hl7v2``: the MLLP listener. It first takes up what an earlier one left."""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
import sys
import threading

from device_ingest.gateway import Gateway
from device_ingest.hl7v2.handling import Handler
from device_ingest.hl7v2.mllp import Limits, Listener
from kmis.settings import Settings, get_settings

log = logging.getLogger("kmis.mllp")
# How often, and after how long, a message whose sender never repeated it is taken up, in seconds.
RECOVER_EACH_S, RECOVER_AFTER_S = 30.0, 60.0


def limits_of(settings: Settings) -> Limits:
    """The listener's limits out of the settings."""
    return Limits(
        settings.mllp_limit_bytes, max(settings.mllp_keep_bytes, settings.mllp_limit_bytes),
        settings.mllp_idle_seconds, settings.mllp_connections,
    )  # fmt: skip


async def serve(settings: Settings, listening: socket.socket, ending: asyncio.Event) -> None:
    """Listen until ``ending`` is set."""
    handler = Handler(Gateway(settings))
    stopped = threading.Event()
    recovering = threading.Thread(target=_recover, args=(handler, stopped), name="mllp-recover")
    recovering.start()
    try:
        await Listener(limits_of(settings), handler.spool.pending, handler.handle).serve(listening, ending)
    finally:
        stopped.set()
        recovering.join()


def _recover(handler: Handler, stopped: threading.Event) -> None:
    after = 0.0
    while True:
        try:
            taken = handler.recover(after)
        except OSError as error:
            log.error("pending messages could not be read: errno %s", error.errno)
            taken = 0
        if taken:
            log.warning("%d messages were taken up again", taken)
        after = RECOVER_AFTER_S
        if stopped.wait(RECOVER_EACH_S):
            return


async def _main(settings: Settings, listening: socket.socket) -> None:
    ending = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ending.set)
    await serve(settings, listening, ending)


def main() -> int:
    """Listen at the port of the settings; ``--port 0`` takes a free one and prints it."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    settings = get_settings()
    port = int(sys.argv[sys.argv.index("--port") + 1]) if "--port" in sys.argv else settings.mllp_port
    listening = socket.create_server((settings.host, port), backlog=128)
    sys.stdout.write(f"listening on {listening.getsockname()[1]}\n")
    sys.stdout.flush()
    asyncio.run(_main(settings, listening))
    return 0


if __name__ == "__main__":
    sys.exit(main())
