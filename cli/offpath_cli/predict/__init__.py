"""The command that predicts every row of a file."""
