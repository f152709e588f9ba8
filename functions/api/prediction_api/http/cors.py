"""Let pages of other origins call the API from a browser, where no API Gateway answers for it.

https://fetch.spec.whatwg.org/#http-cors-protocol
"""

import re
from collections.abc import Sequence

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware

from offpath.attributes import CALLER_HEADERS
from offpath.tracing import TRACE_ID_HEADER
from prediction_api.api_keys import HEADER

ALLOWED_METHODS = ("GET", "POST")
# All that the documentation names. The template of the stack has them, too.
ALLOWED_HEADERS = (
    *("authorization", "content-encoding", "content-type", "traceparent", "tracestate"),
    *(HEADER, *sorted(CALLER_HEADERS)),
)
EXPOSED_HEADERS = ("retry-after", TRACE_ID_HEADER)
ANY_PORT = ":*"


def allow_origins(app: FastAPI, origins: Sequence[str]) -> None:
    """Answer preflights, and name the origin in answers. An origin that ends in `:*` is taken with any port."""
    named = [origin for origin in origins if not origin.endswith(ANY_PORT)]
    hosts = [re.escape(origin.removesuffix(ANY_PORT)) for origin in origins if origin.endswith(ANY_PORT)]
    app.add_middleware(
        CORSMiddleware,
        allow_origins=named,
        allow_origin_regex=rf"(?:{'|'.join(hosts)})(?::\d+)?" if hosts else None,
        allow_methods=ALLOWED_METHODS,
        allow_headers=ALLOWED_HEADERS,
        expose_headers=EXPOSED_HEADERS,
    )
