"""The lake in Dagster: lineage of the models, full verification, upkeep."""
