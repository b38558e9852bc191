"""The synthetic Karatobe district of West Kazakhstan: people, staff and visits that resemble real ones and are none."""

from operational.demo.loading import LOGINS, DemoLogin, Loaded, StoreNotEmpty, is_empty, load, shown_progress

__all__ = ["LOGINS", "DemoLogin", "Loaded", "StoreNotEmpty", "is_empty", "load", "shown_progress"]
