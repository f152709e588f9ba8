"""Recipes, one for each model, and the catalog that names them."""
