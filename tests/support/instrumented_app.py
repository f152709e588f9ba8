"""Serve requests beside FastAPI's instrumentation: `python instrumented_app.py PROVIDER ORDER`.

It prints, as JSON, the id of the trace of each path's request. PROVIDER: none, given or theirs. ORDER: inside, where
the application is instrumented, or outside, where the instrumentation is around `tracing.asgi`. It runs in an
environment with the SDK's wheel and the instrumentations, where nothing else of this project is.
"""

import asyncio
import json
import logging
import os
import sys
from collections.abc import AsyncIterator
from typing import Any

import httpx
from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from opentelemetry import trace
from opentelemetry.instrumentation.asgi import OpenTelemetryMiddleware
from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor
from opentelemetry.instrumentation.logging import LoggingInstrumentor
from opentelemetry.sdk.trace import TracerProvider

import offpath

provider, order = sys.argv[1:]
theirs = TracerProvider(shutdown_on_exit=False)
if provider != "none":
    trace.set_tracer_provider(theirs)
tracing = offpath.install(os.environ, service_name="shop", provider=theirs if provider == "given" else None)
LoggingInstrumentor().instrument()
app = FastAPI()


@offpath.traced(capture_inputs=True, capture_outputs=True)
def total(prices: list[int]) -> int:
    """Add prices up."""
    logging.getLogger("team").warning("a line")
    return sum(prices)


@app.get("/shop/{item}")
def shop(item: str) -> int:
    """Answer at once."""
    return total([1, len(item)])


@app.get("/stream/{item}")
async def stream(item: str) -> StreamingResponse:
    """Answer in parts."""

    async def parts() -> AsyncIterator[str]:
        for number in range(3):
            yield str(total([number]))

    return StreamingResponse(parts())


served: Any
if order == "inside":
    FastAPIInstrumentor.instrument_app(app)
    served = tracing.asgi(app)
else:
    served = OpenTelemetryMiddleware(tracing.asgi(app))


async def main() -> dict[str, str]:
    """Make a request of each path."""
    async with httpx.AsyncClient(transport=httpx.ASGITransport(served), base_url="http://shop") as client:
        answers = {path: await client.get(path) for path in ("/shop/a", "/shop/b", "/stream/a")}
        return {path: answer.headers["x-trace-id"].removeprefix("tr-") for path, answer in answers.items()}


sys.stdout.write(json.dumps(asyncio.run(main())))
tracing.shutdown()
