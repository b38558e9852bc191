"""A restore or an upgrade that has begun: while its mark stands in the home, nothing of the installation is started.

The mark is taken away when the change has ended, well or backed out. Only a process that was killed leaves it.
"""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from typing import Literal

from kmis.settings import Settings

NAME = "unfinished.json"
Change = Literal["restore", "upgrade"]
WAYS = {
    "restore": "run `kmis restore` again, with --replace where it was to replace something",
    "upgrade": "`kmis upgrade --back-out` goes back to the state before it",
}


class Unfinished(RuntimeError):
    """A restore or an upgrade has begun and has not ended."""


def mark(settings: Settings, change: Change, *, fresh: bool = False) -> None:
    """From now on the change is under way. ``fresh``: there was nothing before, so what is there is its own."""
    settings.root.mkdir(parents=True, exist_ok=True, mode=0o755)
    file = settings.root / NAME
    new = file.with_suffix(".new")
    with new.open("w") as content:
        json.dump({"change": change, "since": datetime.now(UTC).isoformat(), "fresh": fresh}, content)
        content.flush()
        os.fsync(content.fileno())
    new.replace(file)


def clear(settings: Settings) -> None:
    """The change has ended."""
    (settings.root / NAME).unlink(missing_ok=True)


def begun(settings: Settings) -> tuple[Change, bool] | None:
    """The change that has begun, and whether there was nothing before it; None: nothing is under way."""
    try:
        found = json.loads((settings.root / NAME).read_text())
    except FileNotFoundError:
        return None
    return found["change"], bool(found["fresh"])


def refuse(settings: Settings, but: Change | None = None) -> None:
    """Raises Unfinished while a change is under way, unless it is the one that the caller ends."""
    found = begun(settings)
    if found is not None and found[0] != but:
        raise Unfinished(
            f"the {found[0]} of this installation has begun and not ended. Where it does not run any more:"
            f" {WAYS[found[0]]}"
        )
