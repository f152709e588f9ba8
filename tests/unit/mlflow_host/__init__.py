"""Test the programs of the MLflow server's machine."""
