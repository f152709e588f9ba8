"""Measure what tracing costs a prediction, beside other ways: `make bench`, `python -m benchmarks --help`."""
