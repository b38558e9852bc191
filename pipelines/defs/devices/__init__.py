"""What devices deliver: where it enters, and the gate that looks at it."""
