"""What a station prints: packing sheets and labels."""
