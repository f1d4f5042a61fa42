"""What the law wants reported of a campaign: when, by whom, and kept as it was published."""
