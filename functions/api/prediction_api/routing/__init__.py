"""The version that answers a request: by alias, by version, or by its share of the traffic."""
