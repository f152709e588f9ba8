"""Join archive, receipts and what waits, and name the events that are missing."""
