"""Organisations that may ask the public for money, as two people of the province found them in the register."""
