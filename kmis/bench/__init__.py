"""Benchmarks of ``kmis bench``: each states its goal and says whether it was reached."""
