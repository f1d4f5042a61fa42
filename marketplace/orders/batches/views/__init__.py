"""The pages of settling: the province's, and those of sellers and stations."""
