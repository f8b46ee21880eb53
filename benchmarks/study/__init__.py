"""What the studies of false alarms and of power have in common: days that differ, columns with a history, tables."""
