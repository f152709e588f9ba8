"""Run the services of the local stack: describe, start, watch and stop their processes."""
