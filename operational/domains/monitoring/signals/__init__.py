"""Signal sheets as cases: opened by rules in the transaction of their cause, worked off, closed by what was done."""
