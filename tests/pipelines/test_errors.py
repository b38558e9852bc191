"""What is said of an error: enough to mend it, never a value out of the data."""

from __future__ import annotations

import errno

import duckdb
import pytest

from pipelines.lib.errors import safe_text

SAID = {
    "OSError: No space left on device": OSError(errno.ENOSPC, "No space left on device", "/x/901231400123.parquet"),
    "IOException: File too large": duckdb.IOException('IO Error: Could not write file "/x/1.parquet": File too large'),
    "IOException": duckdb.IOException("IO Error: something about 901231400123"),
    "ConversionException": duckdb.ConversionException("Conversion Error: '901231400123': No space left on device"),
}


@pytest.mark.parametrize("said", SAID)
def test_a_reason_of_the_system_is_told_and_nothing_else(said: str) -> None:
    assert safe_text(SAID[said]) == said
