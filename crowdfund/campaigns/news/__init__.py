"""What officers tell of a campaign while it goes on, and what readers say to that."""
