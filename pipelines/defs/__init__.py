"""Dagster's definitions, one package per source."""
