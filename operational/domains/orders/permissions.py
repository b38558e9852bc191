"""Named rights on orders, results, images, the inbox and devices."""

from __future__ import annotations

from typing import Annotated

from operational.domains.identity.permissions import require
from operational.web.viewer import Viewer

CanRead = Annotated[Viewer, require("orders.read")]
CanOrder = Annotated[Viewer, require("orders.write")]
CanReadResults = Annotated[Viewer, require("results.read")]
CanWriteResults = Annotated[Viewer, require("results.write")]
CanSeeImages = Annotated[Viewer, require("imaging.read")]
CanReadInbox = Annotated[Viewer, require("inbox.read")]
CanResolve = Annotated[Viewer, require("inbox.resolve")]
CanManageDevices = Annotated[Viewer, require("devices.manage")]
