"""Many listings at once, by a sheet that any table program writes: what it would change is shown before anything is."""
