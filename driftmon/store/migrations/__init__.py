"""
How a results database of any version gets to the newest: one file a step in ``versions``, applied in the order of their numbers.

A step is never edited once it has been released, and imports nothing of the schema as it is today. To add one: change
`driftmon.store.schema`, raise `SCHEMA_VERSION` there, and run the tests: `tests/store/test_migrations.py` fails and prints the
operations that are missing. A step must also work on tables full of results, on SQLite and on PostgreSQL, in one transaction.
"""
