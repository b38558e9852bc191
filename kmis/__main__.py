"""``python -m kmis``: the same as the command ``kmis``."""

from kmis.cli import main

# A process that a command starts for a part of its work imports this module, too.
if __name__ == "__main__":
    main()
