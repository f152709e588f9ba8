"""The HTTP side: routes, problem details, API keys, the OpenAPI document. Only this package knows FastAPI."""
