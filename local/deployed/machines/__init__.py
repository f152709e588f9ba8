"""The machines of a local deployment: what is MLflow's instance and its database in AWS."""
