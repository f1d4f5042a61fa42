"""Tests of a house's giving on its way to another house."""
