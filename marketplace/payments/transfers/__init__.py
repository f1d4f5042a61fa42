"""Money that a gateway moves from our balance there to somebody's whom it knows, and back (docs/adr/0017)."""
