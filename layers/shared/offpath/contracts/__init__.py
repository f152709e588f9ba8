"""Messages, documents and names that two parts of the pipeline share, each of them defined once."""
