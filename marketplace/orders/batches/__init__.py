"""What sellers and stations are owed, paid out: batches by station, drafted by one person and approved by another."""
