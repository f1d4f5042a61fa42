"""A station's day is closed: its figures are read from events and ledger and frozen."""
