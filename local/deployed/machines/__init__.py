"""The machines of a local deployment, which the emulator asks for: what is MLflow's instance and its database in AWS."""
