"""Every recipe's model, served by the API and by `mlflow models serve`, and called in process."""
