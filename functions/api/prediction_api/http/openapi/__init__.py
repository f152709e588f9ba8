"""The OpenAPI document, with one entry for each model that is served."""
