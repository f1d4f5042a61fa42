"""The demonstration: 58 counties, their goods and a short history, read from the tables beside this file."""
