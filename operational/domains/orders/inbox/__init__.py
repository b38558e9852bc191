"""What devices delivered: whom it may belong to, and how devices name tests."""
