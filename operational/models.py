"""Every table of the operational store: importing this module makes the metadata whole."""

from sqlalchemy import MetaData

from operational.domains.catalogs import models as catalogs
from operational.domains.encounters import models as encounters
from operational.domains.home_visits import models as home_visits
from operational.domains.identity import models as identity
from operational.domains.inpatient import models as inpatient
from operational.domains.maternity import models as maternity
from operational.domains.monitoring import models as monitoring
from operational.domains.orders import models as orders
from operational.domains.organisation import models as organisation
from operational.domains.patients import models as patients
from operational.domains.scheduling import models as scheduling
from operational.kit import models as kit
from operational.kit.base import Base

__all__ = [
    "Base",
    "catalogs",
    "encounters",
    "home_visits",
    "identity",
    "inpatient",
    "kit",
    "maternity",
    "monitoring",
    "orders",
    "organisation",
    "patients",
    "scheduling",
    "whole",
]


def whole() -> MetaData:
    """The metadata of every table; a program that is no application calls it once, so that all keys resolve."""
    return Base.metadata
