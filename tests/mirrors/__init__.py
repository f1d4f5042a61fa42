"""Campaigns that live on a platform."""
