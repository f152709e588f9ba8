"""One module for each resource. A route reads a request, calls the core, and writes its response."""
