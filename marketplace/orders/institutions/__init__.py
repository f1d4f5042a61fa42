"""Canteens, schools, hospitals: they order on account, check what comes, and pay a statement each month."""
