"""What a provider pays back after it was paid: found at the bank by one person, let into the books by another."""
