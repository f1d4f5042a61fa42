"""Invoices that buyers ask for."""
