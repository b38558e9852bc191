"""Rights of the register, named for the routes; identity's ``roles.yml`` says which roles hold them."""

from __future__ import annotations

from typing import Annotated

from operational.domains.identity.permissions import require
from operational.web.viewer import Viewer

CanRead = Annotated[Viewer, require("patients.read")]
CanRegister = Annotated[Viewer, require("patients.register")]
CanAttach = Annotated[Viewer, require("patients.attach")]
CanMerge = Annotated[Viewer, require("patients.merge")]
