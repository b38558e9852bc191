"""The command line ``kmis``: the front door of the system."""

from kmis.cli.main import main

__all__ = ["main"]
