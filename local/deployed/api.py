"""Call the deployed API over HTTP."""

import json
from dataclasses import dataclass, field
from typing import Any

from local.stack.web import POOL

SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Answer:
    """Hold an answer's status, headers and content."""

    status: int
    headers: dict[str, str]
    data: bytes = field(repr=False)

    def json(self) -> Any:
        """Return the content as JSON. Raises ValueError."""
        return json.loads(self.data)


@dataclass(frozen=True, slots=True)
class Api:
    """A caller of the API. key: empty for one who has none."""

    url: str
    key: str = field(repr=False)

    def call(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Answer:
        """Return the answer, whatever its status. Raises urllib3's HTTPError when there is none."""
        given = ({"x-api-key": self.key} if self.key else {}) | (headers or {})
        content = {} if body is None else {"json": body}
        answer = POOL.request(method, self.url + path, headers=given, timeout=SECONDS, **content)
        return Answer(answer.status, {name.lower(): value for name, value in answer.headers.items()}, answer.data)
