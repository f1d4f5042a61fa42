"""The desk without a network: a list for the day, codes that a phone can check, acts that are sent later."""
