"""Compare the versions of a model by the traces of their answers: `offpath compare`."""
