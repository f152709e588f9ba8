"""Run the functions in Docker, as `make build` made them."""
