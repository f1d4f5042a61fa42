"""Campaigns that live on a designated platform: we lead there, and show what its files say."""
