"""Campaigns for a closed list of people: who is on it, and what nobody else sees."""
