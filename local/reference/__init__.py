"""Make docs/reference.md, the reference of the public names of `offpath`, from their docstrings."""
