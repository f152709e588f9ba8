"""MLflow's scoring protocol: the requests and answers of `mlflow models serve` at `/invocations`."""
