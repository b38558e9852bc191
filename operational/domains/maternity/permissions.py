"""Named rights on pregnancies and births."""

from __future__ import annotations

from typing import Annotated

from operational.domains.identity.permissions import require
from operational.web.viewer import Viewer

CanRead = Annotated[Viewer, require("maternity.read")]
CanWrite = Annotated[Viewer, require("maternity.write")]
CanDeliver = Annotated[Viewer, require("maternity.deliver")]
