"""The model registry's aliases, published as files and a manifest that the prediction API can serve from."""
