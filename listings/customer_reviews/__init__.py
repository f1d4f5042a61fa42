"""What people who received goods say about them: written once for each line bought, moderated by reason, never bought."""
