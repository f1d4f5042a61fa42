"""The pages of gifts: for everybody, for givers, for officers."""
