"""A stub of MLflow as it runs in AWS: over TLS, with a CA of its own and a password."""

import base64
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from local.testbed.authority import Authority, server_context
from tests.support.servers.mlflow_stub import Reply, Request, StubMlflow, stub_mlflow

USER = "writer"


@dataclass
class GuardedMlflow:
    """The server. password: of USER; another one is answered 401."""

    stub: StubMlflow
    context: ssl.SSLContext
    folder: Path
    authority: Authority
    password: str = "s3cret"
    refusals: int = field(default=0, init=False)

    @property
    def url(self) -> str:
        return self.stub.url

    def replace(self) -> None:
        """Another machine at the same address: its CA is a new one."""
        self.authority = Authority("offpath test CA of the next machine")
        self.authority.certify(self.context, self.folder)

    def guard(self, request: Request) -> Reply | None:
        expected = "Basic " + base64.b64encode(f"{USER}:{self.password}".encode()).decode()
        if request.headers.get("authorization", request.headers.get("Authorization")) == expected:
            return None
        self.refusals += 1
        return Reply(401, "You are not authenticated")


@contextmanager
def guarded_mlflow(folder: Path) -> Iterator[GuardedMlflow]:
    """The server on a free port of 127.0.0.1, for as long as the context lasts. folder: for its certificate."""
    authority = Authority()
    context = server_context(authority, folder)
    with stub_mlflow(context) as stub:
        server = GuardedMlflow(stub, context, folder, authority)
        stub.answer = server.guard
        yield server
