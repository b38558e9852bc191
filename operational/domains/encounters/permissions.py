"""Named rights on visits."""

from __future__ import annotations

from typing import Annotated

from operational.domains.identity.permissions import require
from operational.web.viewer import Viewer

CanRead = Annotated[Viewer, require("encounters.read")]
CanWrite = Annotated[Viewer, require("encounters.write")]
CanSign = Annotated[Viewer, require("encounters.sign")]
