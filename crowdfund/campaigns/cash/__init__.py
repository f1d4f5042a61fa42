"""Gifts taken in cash at a station."""
