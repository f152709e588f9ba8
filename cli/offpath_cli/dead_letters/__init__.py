"""The commands that list dead letters, show one, bring them back, or give them up."""
