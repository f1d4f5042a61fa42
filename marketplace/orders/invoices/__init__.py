"""Invoices that buyers ask for, and that sellers and stations issue outside of this house."""
