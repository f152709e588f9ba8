"""Prove that every event is accounted for, or name what is missing: `offpath audit`."""
