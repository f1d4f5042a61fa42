"""The operator's start page: what happened today, what waits for the province, how each station stands. Writes nothing."""
