"""Each model has a recipe, and the catalog names them all."""
