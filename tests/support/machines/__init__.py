"""Machines of Debian, their certificates, and what runs on them."""
