"""The barcode of an order's number, read back by a reader that knows only the table of the standard."""

from __future__ import annotations

import pytest

from operational.domains.orders import barcode

# ISO/IEC 16388, the patterns as printed there: w wide, n narrow, bar and space in turn.
TABLE = {
    "nnnwwnwnn": "0", "wnnwnnnnw": "1", "nnwwnnnnw": "2", "wnwwnnnnn": "3", "nnnwwnnnw": "4", "wnnwwnnnn": "5",
    "nnwwwnnnn": "6", "nnnwnnwnw": "7", "wnnwnnwnn": "8", "nnwwnnwnn": "9", "wnnnnwnnw": "A", "nnwnnwnnw": "B",
    "wnwnnwnnn": "C", "nnnnwwnnw": "D", "wnnnwwnnn": "E", "nnwnwwnnn": "F", "nnnnnwwnw": "G", "wnnnnwwnn": "H",
    "nnwnnwwnn": "I", "nnnnwwwnn": "J", "wnnnnnnww": "K", "nnwnnnnww": "L", "wnwnnnnwn": "M", "nnnnwnnww": "N",
    "wnnnwnnwn": "O", "nnwnwnnwn": "P", "nnnnnnwww": "Q", "wnnnnnwwn": "R", "nnwnnnwwn": "S", "nnnnwnwwn": "T",
    "wwnnnnnnw": "U", "nwwnnnnnw": "V", "wwwnnnnnn": "W", "nwnnwnnnw": "X", "wwnnwnnnn": "Y", "nwwnwnnnn": "Z",
    "nwnnnnwnw": "-", "nwnnwnwnn": "*",
}  # fmt: skip


def scanned(text: str) -> str:
    """What a scanner reads: runs of dark and light modules, nine to a sign and a narrow gap between signs."""
    found, whole = barcode.bars(text)
    dark = [False] * whole
    for place, width in found:
        dark[place : place + width] = [True] * width
    stripe = "".join("#" if module else " " for module in dark)
    assert stripe.startswith(" " * barcode.MARGIN) and stripe.endswith(" " * barcode.MARGIN)
    runs: list[str] = []
    for module in stripe.strip():
        if runs and runs[-1][0] == module:
            runs[-1] += module
        else:
            runs.append(module)
    widths = "".join("w" if len(run) == barcode.WIDE else "n" for run in runs)
    return "".join(TABLE[widths[place : place + 9]] for place in range(0, len(widths), 10))


@pytest.mark.requirement("LAB-07")
@pytest.mark.parametrize("text", ["2600000042", "AB-77", "0123456789", "ABCDEFGHIJKLM", "NOPQRSTUVWXYZ-"])
def test_a_scanner_reads_the_number(text: str) -> None:
    assert scanned(text) == f"*{text}*"


def test_a_sign_that_the_code_has_not_is_refused() -> None:
    with pytest.raises(ValueError, match="Code 39"):
        barcode.bars("№1")
