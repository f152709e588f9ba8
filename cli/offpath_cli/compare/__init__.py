"""`offpath compare`: the versions of a model side by side, from the traces of what they answered."""
