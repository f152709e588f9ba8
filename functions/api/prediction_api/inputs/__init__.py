"""From a request's JSON to a batch that a model takes, checked against the signature of the model."""
