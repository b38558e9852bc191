"""Rights on organisations, departments, sites and staff."""

from __future__ import annotations

from typing import Annotated

from operational.domains.identity.permissions import require
from operational.web.viewer import Viewer

CanRead = Annotated[Viewer, require("organisation.read")]
CanManage = Annotated[Viewer, require("organisation.manage")]
