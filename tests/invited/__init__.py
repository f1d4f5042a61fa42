"""Campaigns for a closed list."""
