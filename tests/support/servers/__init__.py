"""Servers that tests start, and clients of them."""
