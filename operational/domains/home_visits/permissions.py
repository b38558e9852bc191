"""Named rights on home calls."""

from __future__ import annotations

from typing import Annotated

from operational.domains.identity.permissions import require
from operational.web.viewer import Viewer

CanRead = Annotated[Viewer, require("home_visits.read")]
CanRegister = Annotated[Viewer, require("home_visits.register")]
CanPerform = Annotated[Viewer, require("home_visits.perform")]
