"""Rows on a Spark cluster: its executors count, with the kernel of all sources, and counts are all that travels."""
