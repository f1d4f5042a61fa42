"""Questions to the seller before anybody buys: shown to everybody with their answer, and only then."""
