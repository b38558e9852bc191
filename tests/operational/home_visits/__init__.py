"""Tests of home calls."""
