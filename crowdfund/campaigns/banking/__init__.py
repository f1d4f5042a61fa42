"""Cash out of a station's drawer, into the bank: written down by one person, found at the bank by another."""
