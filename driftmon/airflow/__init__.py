"""All that needs Airflow: the embedded stack, and what the DAG folder is made of. Nothing here is loaded by ``import driftmon``."""
