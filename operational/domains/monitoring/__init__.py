"""Boards, report lists and unloads of the catalogue on the operational screens, and the log of files."""
