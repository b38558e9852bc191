"""Named rights on schedules and bookings."""

from __future__ import annotations

from typing import Annotated

from operational.domains.identity.permissions import require
from operational.web.viewer import Viewer

CanRead = Annotated[Viewer, require("scheduling.read")]
CanBook = Annotated[Viewer, require("scheduling.book")]
CanManage = Annotated[Viewer, require("scheduling.manage")]
