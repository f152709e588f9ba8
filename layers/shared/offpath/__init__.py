"""offpath: traces of machine-learning predictions, off the request path."""
