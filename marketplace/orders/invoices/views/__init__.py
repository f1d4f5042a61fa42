"""Invoices on pages: the buyer's, and the desk of whoever issues them."""
