"""The province's pages of payments: every attempt, refund and movement, found, followed and exported."""
