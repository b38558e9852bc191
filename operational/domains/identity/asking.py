"""What a request tells beside its form: the clock, the network address, the brake on guessing."""

from __future__ import annotations

from fastapi import Request

from kmis.clock import Clock
from operational.domains.identity.limiter import FailureWindow


def clock_of(request: Request) -> Clock:
    """The clock of the application."""
    clock: Clock = request.app.state.clock
    return clock


def address_of(request: Request) -> str:
    """The network address that the request came from."""
    return request.client.host if request.client else "unknown"


def failures_of(request: Request) -> FailureWindow:
    """The application's count of failed sign-ins per address."""
    window = getattr(request.app.state, "sign_in_failures", None)
    if not isinstance(window, FailureWindow):
        window = request.app.state.sign_in_failures = FailureWindow()
    return window
