"""The change feed in Dagster: bronze and the quality gate."""
