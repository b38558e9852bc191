"""Every table of the operational store: importing this module makes the metadata whole."""

from sqlalchemy import MetaData

from operational.domains.catalogs import models as catalogs
from operational.domains.encounters import models as encounters
from operational.domains.identity import models as identity
from operational.domains.organisation import models as organisation
from operational.domains.patients import models as patients
from operational.domains.scheduling import models as scheduling
from operational.kit import models as kit
from operational.kit.base import Base

__all__ = ["Base", "catalogs", "encounters", "identity", "kit", "organisation", "patients", "scheduling", "whole"]


def whole() -> MetaData:
    """The metadata of every table; a program that is no application calls it once, so that all keys resolve."""
    return Base.metadata
