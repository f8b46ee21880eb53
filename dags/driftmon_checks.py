"""Airflow reads this file and finds one DAG for every monitor file: checks of drift, on the monitor's schedule."""

from driftmon.airflow.factory import build_dags

globals().update(build_dags())
