"""Records that show whether two forms of a model answer alike: made of its signature, of its structure, and drawn."""
