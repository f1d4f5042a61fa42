"""Coupons and promotions: what comes off an order, and who bears it."""
