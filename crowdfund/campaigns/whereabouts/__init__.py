"""Where each fen of a gift is: on a line of a provider's invoice, not spent yet, or back with its giver."""
