"""What tracing costs a prediction, and what one would do otherwise: `make bench`, `python -m benchmarks --help`."""
