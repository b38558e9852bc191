"""``python -m kmis``: the same as the command ``kmis``."""

from kmis.cli import main

main()
