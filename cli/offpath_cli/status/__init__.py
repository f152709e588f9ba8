"""The command that shows where everything in a pipeline is."""
