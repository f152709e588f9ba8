"""Ask the stack's own servers over HTTP."""

import json
from typing import Any

import urllib3
from urllib3.exceptions import HTTPError

from offpath.contracts.errors import Transient

POOL = urllib3.PoolManager(retries=False, timeout=urllib3.Timeout(connect=1, read=10))


def answers(url: str) -> bool:
    """Return whether anything at all answers there."""
    try:
        POOL.request("GET", url, timeout=1)
    except HTTPError:
        return False
    return True


def succeeds(url: str, timeout_seconds: float = 1) -> bool:
    """Return whether the answer there is a 2xx."""
    try:
        return 200 <= POOL.request("GET", url, timeout=timeout_seconds).status < 300
    except HTTPError:
        return False


def fetch(url: str, payload: Any = None, timeout_seconds: float = 10) -> Any:
    """Return the JSON at that address, or with a payload the answer to a POST of it.

    Raises Transient if there is no answer, or none of status 2xx, or none in JSON.
    """
    method = "GET" if payload is None else "POST"
    given = {} if payload is None else {"json": payload}
    try:
        answer = POOL.request(method, url, timeout=timeout_seconds, **given)
        if not 200 <= answer.status < 300:
            raise Transient(f"{method} {url}: {answer.status} {answer.data[:500].decode(errors='replace')}")
        return json.loads(answer.data)
    except (HTTPError, ValueError) as error:
        raise Transient(f"{method} {url}: {error}") from error
