"""What can stop a pass. Messages name models, checks, servers and numbers, never a value out of the data."""

from __future__ import annotations

import errno
import os

import duckdb

# These speak of SQL text and names; other DuckDB messages may quote the value that could not be converted.
_SPEAKS_OF_SQL_ONLY = (duckdb.BinderException, duckdb.CatalogException, duckdb.ParserException)

# Of what the operating system answered, only the reason is passed on; the rest names paths.
_REASONS = tuple(map(os.strerror, (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO, errno.EMFILE)))


class PassRefused(RuntimeError):
    """A pass may not run as things stand; the message says what to mend."""


class WriterBusy(PassRefused):
    """Another process is the lake's writer."""


class EngineLost(PassRefused):
    """DuckDB met a fatal error, as when the catalogue's server dies under it: every later statement fails."""


class LakeKnowsMore(PassRefused):
    """The lake holds changes that the store does not know: the store was put back without the lake."""


class ModelFailed(RuntimeError):
    """A model's SQL failed, or it broke its contract."""

    def __init__(self, model: str, why: str) -> None:
        super().__init__(f"model {model}: {why}")
        self.model = model


class CheckFailed(RuntimeError):
    """A check with severity error found rows."""

    def __init__(self, check: str, rows: int) -> None:
        super().__init__(f"check {check}: {rows} rows")
        self.check = check
        self.rows = rows


def safe_text(error: BaseException) -> str:
    """What may be logged of an error: its class, and its message where that cannot quote data."""
    if isinstance(error, (PassRefused, ModelFailed, CheckFailed, *_SPEAKS_OF_SQL_ONLY)):
        return f"{type(error).__name__}: {str(error).splitlines()[0]}"
    reason = next((text for text in _REASONS if text in str(error)), None)
    if reason and isinstance(error, (OSError, duckdb.IOException)):
        return f"{type(error).__name__}: {reason}"
    return type(error).__name__
