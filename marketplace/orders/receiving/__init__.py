"""What growers bring to their station: all of it, less, spoilt or lighter, and what that means for those who ordered it."""
