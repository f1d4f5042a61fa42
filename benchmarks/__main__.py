"""`make bench`: every measured comparison, one after the other."""

from benchmarks import search

search.main([1_000, 20_000])
