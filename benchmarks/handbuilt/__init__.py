"""Make the same prediction as a team would build it by hand, with each of MLflow's own ways to record it."""
