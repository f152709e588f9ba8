"""Recipes that train a model, check its ONNX form and register it in MLflow."""
