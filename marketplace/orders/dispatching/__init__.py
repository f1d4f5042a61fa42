"""Carriers and tracking numbers of many parcels at once, from the carrier's own table."""
