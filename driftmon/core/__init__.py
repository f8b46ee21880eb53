"""The arithmetic of a check: counts in, verdicts out. No file, clock, network, log or environment; numpy and scipy only."""
