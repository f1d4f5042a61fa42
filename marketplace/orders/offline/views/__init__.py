"""The phone at the desk, and what a person decides about what it wrote."""
