"""After-sales: what was wrong with goods that arrived, who decided what about it, and who bears it."""
