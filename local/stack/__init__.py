"""The processes of the local stack: what they are, how they start, are watched, and stop."""
