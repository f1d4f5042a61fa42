"""Money that came or went by a bank transfer: written down by one person, confirmed by another (docs/adr/0032)."""
