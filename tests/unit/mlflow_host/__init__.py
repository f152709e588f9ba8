"""What runs on the MLflow server's machine."""
