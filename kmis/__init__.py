"""What all parts of KMIS share, and the front door of the system."""
