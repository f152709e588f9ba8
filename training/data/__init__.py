"""Data to learn from: files, data frames, and rows that are held out."""
