"""The state of the installation, for the one who keeps it running."""
