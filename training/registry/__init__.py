"""A trained model in MLflow: its run, its registered version and its aliases."""
