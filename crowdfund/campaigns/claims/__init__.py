"""Gifts of guests that become those of an account later."""
