"""Send HTTP requests to an MLflow server: the only module of this package that knows an HTTP client."""

import base64
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus

import urllib3
from urllib3.exceptions import HTTPError, LocationParseError
from urllib3.util import Timeout, parse_url

from offpath.contracts.errors import SettingsError, Transient
from offpath.mlflow.credentials import Credentials, CredentialsProvider, StaticCredentials

CONNECT_TIMEOUT_SECONDS = 5.0
ANONYMOUS = StaticCredentials()


class Untrusted(Transient):
    """MLflow's certificate is not one to trust."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP response, whatever its status. Header names are looked up without regard to case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class _Call:
    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes | None
    deadline: float


class MlflowHttp:
    """Requests to one MLflow server.

    A 401 and a certificate that is not trusted both say that nothing was carried out: if the provider has other
    credentials by then, the request is sent once more with those. Beyond this it retries nothing and judges no status:
    that is its user's policy.
    url: `http(s)://host[:port][/prefix]`, without credentials. timeout_seconds: to connect and then without a byte from
    the server. clock: monotonic, in seconds.
    Raises SettingsError for a URL it cannot use.
    """

    def __init__(
        self,
        url: str,
        provider: CredentialsProvider = ANONYMOUS,
        timeout_seconds: float = 30.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.url = _checked(url)
        self._provider = provider
        self._timeout_seconds = timeout_seconds
        self._clock = clock
        self._connections: _Connections | None = None

    def request(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        timeout_seconds: float | None = None,
    ) -> Answer:
        """Send one request, and return its answer. Raises Transient when no whole answer comes in time.

        path: from the slash on, with its query. The time that the provider takes counts, and so does a second try.
        """
        deadline = self._clock() + (timeout_seconds or self._timeout_seconds)
        call = _Call(method, f"{self.url}{path}", headers or {}, body, deadline)
        credentials = self._provider.credentials()
        try:
            answer = self._send(call, credentials)
        except Untrusted:
            others = self._others(credentials)
            if others is None:
                raise
        else:
            others = self._others(credentials) if answer.status == HTTPStatus.UNAUTHORIZED else None
            if others is None:
                return answer
        return self._send(call, others)

    def _others(self, refused: Credentials) -> Credentials | None:
        """Return other credentials than those that were refused, if the provider has others by now."""
        found = self._provider.credentials(refused=refused)
        return None if found == refused else found

    def _send(self, call: _Call, credentials: Credentials) -> Answer:
        left = call.deadline - self._clock()
        if left <= 0:
            raise Transient(f"{call.method} {call.url}: there was no time left to ask MLflow")
        connections = self._with(credentials)
        try:
            answer = connections.pool.request(
                call.method,
                call.url,
                headers=connections.headers | dict(call.headers),
                body=call.body,
                timeout=Timeout(connect=min(CONNECT_TIMEOUT_SECONDS, left), total=left),
                redirect=False,
            )
        except HTTPError as error:
            kind = Untrusted if _is_distrust(error) else Transient
            raise kind(f"{call.method} {call.url}: no answer from MLflow: {error}") from error
        return Answer(answer.status, answer.headers, answer.data)

    def _with(self, credentials: Credentials) -> "_Connections":
        if self._connections is None or self._connections.credentials != credentials:
            if self._connections:
                self._connections.pool.clear()
            self._connections = _Connections(credentials)
        return self._connections


class _Connections:
    """Connections that were made with the same credentials, and the headers that go with them."""

    def __init__(self, credentials: Credentials) -> None:
        self.credentials = credentials
        self.headers = _basic_auth(credentials.username, credentials.password) if credentials.username else {}
        trusted = credentials.ca_certificates
        context = ssl.create_default_context(cadata=trusted) if trusted else None
        self.pool = urllib3.PoolManager(ssl_context=context, retries=False)


def _basic_auth(username: str, password: str) -> dict[str, str]:
    token = base64.b64encode(f"{username}:{password}".encode()).decode()  # UTF-8: urllib3's own helper takes Latin-1
    return {"Authorization": f"Basic {token}"}


def _is_distrust(error: HTTPError) -> bool:
    return any(isinstance(cause, ssl.SSLCertVerificationError) for cause in error.args)


def _checked(url: str) -> str:
    try:
        parts = parse_url(url)
    except LocationParseError as error:
        raise SettingsError(f"the MLflow URL cannot be used: {error}; expected http(s)://host[:port]") from error
    if parts.auth:
        raise SettingsError("the MLflow URL must not hold a username or password: they have settings of their own")
    if parts.scheme not in {"http", "https"} or not parts.host:
        raise SettingsError(f"the MLflow URL {url!r} cannot be used: expected http(s)://host[:port]")
    return url.rstrip("/")
