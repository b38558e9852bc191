"""Named rights on figures and files."""

from __future__ import annotations

from typing import Annotated

from operational.domains.identity.permissions import require
from operational.web.viewer import Viewer

CanView = Annotated[Viewer, require("analytics.read")]
CanUnload = Annotated[Viewer, require("exports.make")]
ROWS = "analytics.rows"
IDENTIFIERS = "analytics.identifiers"
CanReadSignals = Annotated[Viewer, require("signals.read")]
CanWorkSignals = Annotated[Viewer, require("signals.work")]
CanOpenSignals = Annotated[Viewer, require("signals.all")]
CanSeeStatus = Annotated[Viewer, require("status.read")]
CanRunPasses = Annotated[Viewer, require("status.act")]
ALL_SIGNALS = "signals.all"
WORK_SIGNALS = "signals.work"
