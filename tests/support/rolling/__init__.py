"""Deployments whose parts are of different releases, and the account of every event in them."""
