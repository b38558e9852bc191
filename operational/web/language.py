"""The language of the screen: the user's own, before sign-in the switch's cookie, else the default."""

from __future__ import annotations

from fastapi import Request

from operational.web.texts import LANGUAGES
from operational.web.viewer import viewer_of

COOKIE = "kmis_language"


def language_of(request: Request) -> str:
    """`kk` or `ru`. The cookie counts only while nobody is signed in: workplaces are shared."""
    viewer = viewer_of(request)
    wanted = viewer.language if viewer else request.cookies.get(COOKIE)
    if wanted in LANGUAGES:
        return str(wanted)
    settings = getattr(request.app.state, "settings", None)
    return getattr(settings, "language", LANGUAGES[0])
