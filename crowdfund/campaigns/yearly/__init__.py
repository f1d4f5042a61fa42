"""One receipt for all that somebody gave to an organisation in a year, and a year's gifts for one's own records."""
