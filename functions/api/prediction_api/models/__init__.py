"""The models that this process serves, kept true to the manifest off the request path."""
