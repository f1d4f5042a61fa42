"""Group buying, 拼团: several buyers order the same pack, each for themselves, at a price for all of them together."""
