"""The language of the screen: the user's own, else the cookie of the switch, else the installation's."""

from __future__ import annotations

from fastapi import Request

from operational.web.texts import LANGUAGES
from operational.web.viewer import viewer_of

COOKIE = "kmis_language"


def language_of(request: Request) -> str:
    """`kk` or `ru`. A switch made a moment ago (cookie) wins over the stored preference."""
    viewer = viewer_of(request)
    for wanted in (request.cookies.get(COOKIE), viewer.language if viewer else None):
        if wanted in LANGUAGES:
            return str(wanted)
    settings = getattr(request.app.state, "settings", None)
    return getattr(settings, "language", LANGUAGES[0])
