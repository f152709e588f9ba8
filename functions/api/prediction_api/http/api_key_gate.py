"""API keys: who may ask for predictions.

Only digests of keys are configured, several at once so that one can be replaced while both are in use. A refusal comes
before anything is traced: what strangers send makes no events.
"""

import hashlib
import hmac
import secrets
from collections.abc import Collection
from http import HTTPStatus

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from prediction_api.http.problems import problem

HEADER = "x-api-key"
# What anybody may ask: that the service lives, and how it is called. Everything else wants a key.
OPEN = frozenset({"/", "/health", "/docs", "/openapi.json"})
OPEN_BELOW = "/swagger/"


class ApiKeyGate:
    """Lets requests through that bear one of the keys, or need none. digests: SHA-256 of each key, in hex."""

    def __init__(self, app: ASGIApp, digests: Collection[str]) -> None:
        self._app = app
        self._digests = [digest.lower() for digest in digests]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 401, or hand the request on."""
        if scope["type"] == "http" and not _is_open(scope):
            key = Headers(scope=scope).get(HEADER, "")
            if not self._admits(key):
                await _refusal(key)(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _admits(self, key: str) -> bool:
        """Compares with every digest, each in constant time: the time taken tells nothing about them."""
        given = digest_of(key)
        return sum(hmac.compare_digest(given, digest) for digest in self._digests) > 0


def digest_of(key: str) -> str:
    """What is configured for a key."""
    return hashlib.sha256(key.encode()).hexdigest()


def new_key() -> str:
    """A key of 256 random bits: no dictionary holds it, so that a plain digest is enough to keep."""
    return f"offpath_{secrets.token_urlsafe(32)}"


def _is_open(scope: Scope) -> bool:
    path = scope["path"].removeprefix(scope.get("root_path", ""))
    return path in OPEN or path.startswith(OPEN_BELOW)


def _refusal(key: str) -> ASGIApp:
    detail = f"the key in the header {HEADER} is not known here" if key else f"the header {HEADER} is missing"
    headers = {"www-authenticate": f'ApiKey header="{HEADER}"'}
    return problem(HTTPStatus.UNAUTHORIZED, detail, headers)
