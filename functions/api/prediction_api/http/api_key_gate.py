"""Checks API keys before anything is traced: requests from strangers make no events."""

from collections.abc import Collection
from http import HTTPStatus

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from prediction_api.api_keys import HEADER, is_one_of
from prediction_api.http.problems import problem

# These paths need no key: they say that the service lives, and how it is called.
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
            if not is_one_of(key, self._digests):
                await _unauthorized(key)(scope, receive, send)
                return
        await self._app(scope, receive, send)


def _is_open(scope: Scope) -> bool:
    path = scope["path"].removeprefix(scope.get("root_path", ""))
    return path in OPEN or path.startswith(OPEN_BELOW)


def _unauthorized(key: str) -> ASGIApp:
    detail = f"the key in the header {HEADER} is not known here" if key else f"the header {HEADER} is missing"
    return problem(HTTPStatus.UNAUTHORIZED, detail, {"www-authenticate": f'ApiKey header="{HEADER}"'})
