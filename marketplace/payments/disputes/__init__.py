"""A payer's bank takes money back, or asks about it: what the gateway says of it, what the books make of it, our answer."""
