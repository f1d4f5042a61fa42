"""Who received what: only they may say how it was."""
