"""Monthly gifts: a plan, its months, and what is charged or asked for in each of them."""
