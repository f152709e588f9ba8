"""Serve the untraced application, with the shadow's prediction before the response, as one would by hand."""

from benchmarks.untraced_handler import handler as answer
from benchmarks.untraced_handler import tracing

handler = tracing.lambda_handler(answer)  # this worker does what waits before the response
