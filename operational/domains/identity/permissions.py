"""The permissions that identity asks for, and `require` for the domains above."""

from __future__ import annotations

from typing import Annotated

from operational.domains.identity.roles import all_permissions
from operational.web.access import PermissionCheck, public, require
from operational.web.viewer import Viewer

ALL_PERMISSIONS = all_permissions()

SignedIn = Annotated[Viewer, require(None)]
CanManageUsers = Annotated[Viewer, require("users.manage")]

__all__ = ["ALL_PERMISSIONS", "CanManageUsers", "PermissionCheck", "SignedIn", "public", "require"]
