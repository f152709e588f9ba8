"""Requests to a real HTTP server: what comes back, and what becomes of one that does not answer."""

from __future__ import annotations

import base64
import datetime as dt
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from offpath.errors import SettingsError, Transient
from offpath.mlflow_http import MlflowHttp
from tests.conftest import free_port


class Echo(BaseHTTPRequestHandler):
    """Says what it was asked; a path that begins with a status is answered with that."""

    def do_GET(self) -> None:
        if self.path == "/short":
            return self._short()
        if self.path == "/silent":
            self.server.stop.wait(5)  # type: ignore[attr-defined]
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
        """No access log."""


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
    http = MlflowHttp(f"http://127.0.0.1:{port}", "user", "password")
    assert http.request("POST", "/", headers={"X-Kind": "spans"}, body=b"content:").body == b"content:spans"


@pytest.mark.parametrize("password", ["paß:word", None])
def test_basic_authentication(port: int, password: str | None) -> None:
    said = MlflowHttp(f"http://127.0.0.1:{port}", "sync", password).request("GET", "/").body.decode().split()[-1]
    assert base64.b64decode(said) == f"sync:{password or ''}".encode()


@pytest.mark.parametrize("status", [302, 404, 500, 503])
def test_a_status_is_handed_on_and_a_redirect_not_followed(port: int, status: int) -> None:
    assert MlflowHttp(f"http://127.0.0.1:{port}").request("GET", f"/{status}").status == status


def test_nothing_listens() -> None:
    with pytest.raises(Transient, match="no answer from MLflow"):
        MlflowHttp(f"http://127.0.0.1:{free_port()}", timeout_seconds=2).request("GET", "/health")


def test_a_server_that_does_not_answer_in_time(port: int) -> None:
    with pytest.raises(Transient, match=r"GET http.*/silent: no answer from MLflow"):
        MlflowHttp(f"http://127.0.0.1:{port}").request("GET", "/silent", timeout_seconds=0.2)


def test_an_answer_that_is_cut_off_is_none(port: int) -> None:
    with pytest.raises(Transient, match="no answer from MLflow"):
        MlflowHttp(f"http://127.0.0.1:{port}").request("GET", "/short")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for 127.0.0.1 that nobody but its owner trusts, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "offpath test")])
    now = dt.datetime.now(dt.UTC)
    built = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = tmp_path_factory.mktemp("tls") / "server.pem"
    path.write_bytes(private + built.public_bytes(serialization.Encoding.PEM))
    return path


@pytest.fixture
def tls_port(certificate: Path) -> Iterator[int]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with serving(context) as number:
        yield number


def test_a_certificate_of_our_own_ca_is_trusted(tls_port: int, certificate: Path) -> None:
    assert MlflowHttp(f"https://127.0.0.1:{tls_port}", ca_file=str(certificate)).request("GET", "/").status == 200


def test_a_certificate_of_nobody_is_not(tls_port: int) -> None:
    with pytest.raises(Transient, match="certificate"):
        MlflowHttp(f"https://127.0.0.1:{tls_port}").request("GET", "/")


def test_a_ca_file_that_cannot_be_used(tmp_path: Path) -> None:
    (damaged := tmp_path / "ca.pem").write_text("not a certificate")
    for path in (damaged, tmp_path / "missing.pem"):
        with pytest.raises(SettingsError, match=path.name):
            MlflowHttp("https://127.0.0.1", ca_file=str(path))


@pytest.mark.parametrize("url", ["", "127.0.0.1:5000", "ftp://127.0.0.1", "http://", "http://host:port"])
def test_an_address_that_cannot_be_used(url: str) -> None:
    with pytest.raises(SettingsError, match="expected http"):
        MlflowHttp(url)


def test_credentials_in_the_address_are_refused_and_not_repeated() -> None:
    with pytest.raises(SettingsError) as refusal:
        MlflowHttp("http://user:hunter2@127.0.0.1")
    assert "hunter2" not in str(refusal.value)
