"""Measurements: what a check costs, how often it is wrong, and what it finds."""
