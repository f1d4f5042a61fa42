"""Doors of the institutions: their members, the province, the stations."""
