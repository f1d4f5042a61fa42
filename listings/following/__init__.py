"""Favourites: packs that people keep in mind, and what they want to be told of them."""
