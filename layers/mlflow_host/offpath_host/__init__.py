"""Run MLflow on a machine of its own: its start, its users, and the training worker."""
