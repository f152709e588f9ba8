"""Requests to a real HTTP server are answered, or end in an error when it does not answer."""

from __future__ import annotations

import base64
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from local.testbed.authority import Authority, server_context
from offpath.contracts.errors import SettingsError, Transient
from offpath.mlflow.credentials import Credentials, StaticCredentials
from offpath.mlflow.http import MlflowHttp, Untrusted
from offpath.mlflow.stored_credentials import read_certificates


class Echo(BaseHTTPRequestHandler):
    """Says what it was asked; a path that begins with a status is answered with that."""

    def do_GET(self) -> None:
        if self.path == "/short":
            return self._short()
        if self.path == "/silent":
            self.server.stop.wait()  # type: ignore[attr-defined]
            return None
        status = int(self.path.split("/")[-1]) if self.path[-3:].isdigit() else 200
        return self._answer(status, f"{self.command} {self.path} {self.headers.get('Authorization', '-')}".encode())

    def do_POST(self) -> None:
        self._answer(200, self.rfile.read(int(self.headers["Content-Length"])) + self.headers["X-Kind"].encode())

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-Answer", "yes")
        self.send_header("Location", "/elsewhere")
        self.end_headers()
        self.wfile.write(body)

    def _short(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "100")
        self.end_headers()
        self.wfile.write(b"cut off")

    def log_message(self, *arguments: object) -> None:
        """Log nothing."""


@contextmanager
def serving(context: ssl.SSLContext | None = None) -> Iterator[int]:
    class Server(ThreadingHTTPServer):
        stop = threading.Event()

        def handle_error(self, request: object, client_address: object) -> None:
            """A client that goes away, or distrusts us, is what some tests want."""

    with Server(("127.0.0.1", 0), Echo) as server:
        if context:
            server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield server.server_port
        server.stop.set()
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with serving() as number:
        yield number


def test_a_request_and_its_answer(port: int) -> None:
    answer = MlflowHttp(f"http://127.0.0.1:{port}/").request("GET", "/api?name=a%20b")
    assert (answer.status, answer.body) == (200, b"GET /api?name=a%20b -")
    assert answer.headers["x-answer"] == "yes"


def test_a_server_behind_a_path(port: int) -> None:
    assert MlflowHttp(f"http://127.0.0.1:{port}/mlflow/").request("GET", "/api").body == b"GET /mlflow/api -"


def test_a_body_and_headers_are_sent(port: int) -> None:
    http = MlflowHttp(f"http://127.0.0.1:{port}", StaticCredentials(Credentials("user", "password")))
    assert http.request("POST", "/", headers={"X-Kind": "spans"}, body=b"content:").body == b"content:spans"


@pytest.mark.parametrize("password", ["paß:word", ""])
def test_basic_authentication(port: int, password: str) -> None:
    http = MlflowHttp(f"http://127.0.0.1:{port}", StaticCredentials(Credentials("sync", password)))
    said = http.request("GET", "/").body.decode().split()[-1]
    assert base64.b64decode(said) == f"sync:{password}".encode()


@pytest.mark.parametrize("status", [302, 404, 500, 503])
def test_a_status_is_handed_on_and_a_redirect_not_followed(port: int, status: int) -> None:
    assert MlflowHttp(f"http://127.0.0.1:{port}").request("GET", f"/{status}").status == status


def test_nothing_listens(nowhere: str) -> None:
    with pytest.raises(Transient, match="no answer from MLflow"):
        MlflowHttp(nowhere, timeout_seconds=2).request("GET", "/health")


def test_a_server_that_does_not_answer_in_time(port: int) -> None:
    with pytest.raises(Transient, match=r"GET http.*/silent: no answer from MLflow"):
        MlflowHttp(f"http://127.0.0.1:{port}").request("GET", "/silent", timeout_seconds=0.2)


def test_an_answer_that_is_cut_off_is_none(port: int) -> None:
    with pytest.raises(Transient, match="no answer from MLflow"):
        MlflowHttp(f"http://127.0.0.1:{port}").request("GET", "/short")


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


@pytest.fixture
def tls_port(authority: Authority, tmp_path: Path) -> Iterator[int]:
    with serving(server_context(authority, tmp_path)) as number:
        yield number


def test_a_certificate_of_our_own_ca_is_trusted(tls_port: int, authority: Authority) -> None:
    trusting = StaticCredentials(Credentials(ca_certificates=read_certificates(authority.pem)))
    assert MlflowHttp(f"https://127.0.0.1:{tls_port}", trusting).request("GET", "/").status == 200


def test_a_certificate_of_nobody_is_not(tls_port: int) -> None:
    with pytest.raises(Untrusted, match="certificate"):
        MlflowHttp(f"https://127.0.0.1:{tls_port}").request("GET", "/")


@pytest.mark.parametrize("url", ["", "127.0.0.1:5000", "ftp://127.0.0.1", "http://", "http://host:port"])
def test_an_address_that_cannot_be_used(url: str) -> None:
    with pytest.raises(SettingsError, match="expected http"):
        MlflowHttp(url)


def test_credentials_in_the_address_are_refused_and_not_repeated() -> None:
    with pytest.raises(SettingsError) as refusal:
        MlflowHttp("http://user:hunter2@127.0.0.1")
    assert "hunter2" not in str(refusal.value)
