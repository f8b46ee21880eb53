"""Rows in databases: counted where they are, by statements of SQL."""
