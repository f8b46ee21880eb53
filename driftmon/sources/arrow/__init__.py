"""The kernel of every source that holds rows as Arrow columns: batches in; layouts and counts out."""
