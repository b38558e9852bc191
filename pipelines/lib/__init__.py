"""The way from the change feed to a published snapshot: loading, models, checks, publication, upkeep."""
