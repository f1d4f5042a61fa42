"""Limits of who may benefit, published with the campaign and kept by the machine: counties, how many, how much for each."""
