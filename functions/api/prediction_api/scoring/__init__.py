"""MLflow's scoring protocol: what `mlflow models serve` takes at `/invocations`, and what it answers."""
