"""The functions as `make build` made them, run in Docker."""
