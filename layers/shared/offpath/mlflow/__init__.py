"""Access to an MLflow server, for what runs off the request path. The prediction API imports none of it."""
