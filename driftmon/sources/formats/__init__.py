"""File formats: how rows are read from one data file of each."""
