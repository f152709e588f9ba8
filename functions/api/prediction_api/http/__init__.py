"""The HTTP side: routes, error documents, API keys, the OpenAPI document. The core knows nothing of it."""
