"""Serve every recipe's model by the API and by `mlflow models serve`, and call it in process."""
