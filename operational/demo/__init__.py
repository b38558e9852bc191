"""The synthetic Karatobe district of West Kazakhstan: people, staff and visits that resemble real ones and are none."""

from operational.demo.loading import LOGINS, DemoLogin, Loaded, StoreNotEmpty, is_empty, load, shown_progress
from operational.demo.region_bulk import NotTheDemonstration, region_bulk

__all__ = [
    "LOGINS",
    "DemoLogin",
    "Loaded",
    "NotTheDemonstration",
    "StoreNotEmpty",
    "is_empty",
    "load",
    "region_bulk",
    "shown_progress",
]
