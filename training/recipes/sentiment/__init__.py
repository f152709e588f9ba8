"""The sentiment recipes: whether a review is positive or negative."""
