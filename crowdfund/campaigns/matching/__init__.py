"""Matching funds: a sponsor's money that is added to others' gifts, within caps, as long as it lasts."""
