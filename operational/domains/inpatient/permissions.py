"""Named rights on the hospital's screens; identity's ``roles.yml`` says which roles hold them."""

from __future__ import annotations

from typing import Annotated

from operational.domains.identity.permissions import require
from operational.web.viewer import Viewer

CanRead = Annotated[Viewer, require("inpatient.read")]
CanAdmit = Annotated[Viewer, require("inpatient.admit")]
CanWrite = Annotated[Viewer, require("inpatient.write")]
CanDischarge = Annotated[Viewer, require("inpatient.discharge")]
CanVoid = Annotated[Viewer, require("inpatient.void")]
