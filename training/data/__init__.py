"""Data to learn from: text files, and datasets with rows that are held out."""
