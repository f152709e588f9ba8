"""HTTP to an MLflow server: the only module of this package that knows an HTTP client."""

import base64
import ssl
from collections.abc import Mapping
from dataclasses import dataclass

import urllib3
from urllib3.exceptions import HTTPError, LocationParseError
from urllib3.util import Timeout, parse_url

from offpath.errors import SettingsError, Transient

CONNECT_TIMEOUT_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP response, whatever its status. Header names are looked up without regard to case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class MlflowHttp:
    """Requests to one MLflow server. It retries nothing and judges no status: that is its user's policy.

    url: `http(s)://host[:port][/prefix]`, without credentials. ca_file: certificates (PEM) to trust instead of the
    system's. timeout_seconds: to connect and then without a byte from the server.
    Raises SettingsError for a URL or a file it cannot use.
    """

    def __init__(
        self,
        url: str,
        username: str | None = None,
        password: str | None = None,
        ca_file: str | None = None,
        timeout_seconds: float = 30.0,
    ) -> None:
        self.url = _checked(url)
        self._timeout_seconds = timeout_seconds
        self._headers = _basic_auth(username, password or "") if username else {}
        self._pool = urllib3.PoolManager(ssl_context=_trust(ca_file) if ca_file else None, retries=False)

    def request(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        timeout_seconds: float | None = None,
    ) -> Answer:
        """One request; path: from the slash on, with its query. Raises Transient when no whole answer comes in time."""
        url = f"{self.url}{path}"
        try:
            answer = self._pool.request(
                method,
                url,
                headers=self._headers | dict(headers or {}),
                body=body,
                timeout=_timeout(timeout_seconds or self._timeout_seconds),
                redirect=False,
            )
        except HTTPError as error:
            raise Transient(f"{method} {url}: no answer from MLflow: {error}") from error
        return Answer(answer.status, answer.headers, answer.data)


def _basic_auth(username: str, password: str) -> dict[str, str]:
    token = base64.b64encode(f"{username}:{password}".encode()).decode()  # UTF-8: urllib3's own helper takes Latin-1
    return {"Authorization": f"Basic {token}"}


def _timeout(seconds: float) -> Timeout:
    return Timeout(connect=min(CONNECT_TIMEOUT_SECONDS, seconds), total=seconds)


def _trust(ca_file: str) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca_file)
    except OSError as error:  # ssl.SSLError is one too
        raise SettingsError(f"the CA file {ca_file!r} cannot be used: {error}; expected certificates in PEM") from error


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
