"""A real HTTP server that answers like an MLflow in trouble."""

import gzip
import json
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.support.servers.http_server import Exchange, serving

EXPERIMENT = {"experiment": {"experiment_id": "1", "lifecycle_stage": "active"}}


@dataclass(frozen=True, slots=True)
class Request:
    """A request that the server got: method and path, and for spans the trace ids in it."""

    line: str
    headers: dict[str, str]
    trace_ids: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer. status 0: the server closes the connection and sends nothing. never: it does not even close it."""

    status: int = 200
    body: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    never: bool = False


# OTLP's answer to spans that were all stored: an empty message.
RECEIPT = Reply(headers={"Content-Type": "application/x-protobuf"})


def error(status: int, error_code: str = "", **headers: str) -> Reply:
    """Return an error as MLflow answers it."""
    return Reply(status, json.dumps({"error_code": error_code, "message": "the reason"}), headers)


@dataclass
class StubMlflow:
    """The server's address, what it was asked, and how it answers: None means as a healthy MLflow does.

    gone: set when the server ends.
    """

    url: str = ""
    requests: list[Request] = field(default_factory=list)
    answer: Callable[[Request], Reply | None] = lambda request: None
    gone: threading.Event = field(default_factory=threading.Event)

    @property
    def lines(self) -> list[str]:
        return [request.line for request in self.requests]

    def reply(self, request: Request) -> Reply:
        self.requests.append(request)
        healthy = RECEIPT if request.line.endswith("/v1/traces") else Reply(body=json.dumps(EXPERIMENT))
        return self.answer(request) or healthy

    def answers(self, reply: Reply) -> bool:
        """Return whether there is an answer; if there is none ever, return when the server ends."""
        if reply.never:
            self.gone.wait()
        return bool(reply.status) and not reply.never


@contextmanager
def stub_mlflow(tls: ssl.SSLContext | None = None) -> Iterator[StubMlflow]:
    """A stub on a free port of 127.0.0.1, for as long as the context lasts. tls: to answer over HTTPS."""
    stub = StubMlflow()

    def respond(exchange: Exchange) -> None:
        body = exchange.body()
        trace_ids = _trace_ids(body) if exchange.path.endswith("/v1/traces") else frozenset()
        reply = stub.reply(Request(f"{exchange.command} {exchange.path}", dict(exchange.headers), trace_ids))
        if stub.answers(reply):
            exchange.answer(reply.status, reply.body.encode(), reply.headers)

    with serving(respond, tls) as port:
        stub.url = f"{'https' if tls else 'http'}://127.0.0.1:{port}"
        try:
            yield stub
        finally:
            stub.gone.set()


def _trace_ids(body: bytes) -> frozenset[str]:
    request = ExportTraceServiceRequest.FromString(gzip.decompress(body))
    return frozenset(
        span.trace_id.hex()
        for resource in request.resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    )
