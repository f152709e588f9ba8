"""Offer the command `offpath`: what a team does with its models on a command line."""
