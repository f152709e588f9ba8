"""Define each message, document and name that two parts of the pipeline share."""
