"""Gifts in honour of somebody, and the card that tells of one."""
