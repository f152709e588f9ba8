"""Ask a prediction API."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

import urllib3
from pydantic import ValidationError
from urllib3.exceptions import HTTPError

from offpath.contracts.model_manifest import Signature
from offpath.retry import Backoff, attempts
from offpath_cli.errors import PredictError

LATER = frozenset({429, 502, 503, 504})
SECONDS = 60.0
# While rows are predicted, an API that is away is waited for. Before, it is asked once.
OUTAGE = Backoff(first_seconds=0.5, longest_seconds=15.0, budget_seconds=120.0)
ONCE = Backoff(first_seconds=0.0, tries=1)
# In characters, of what is told of an answer.
LONGEST = 300


@dataclass(frozen=True, slots=True)
class Answer:
    """What the API answered. document: the JSON object in it."""

    status: int
    document: Mapping[str, Any]

    @property
    def problem(self) -> str:
        """Return what is wrong, in the API's words."""
        return str(self.document.get("detail") or dict(self.document))[:LONGEST]


class PredictionApi:
    """One model of a prediction API. key: an API key, or nothing. selection: fields of the query, such as `version`."""

    def __init__(self, url: str, model: str, key: str, selection: Mapping[str, str]) -> None:
        self._address = f"{url.rstrip('/')}/models/{quote(model, safe='')}"
        self._query = f"?{urlencode(selection)}" if selection else ""
        self._headers = {"content-type": "application/json"} | ({"x-api-key": key} if key else {})
        self._pool = urllib3.PoolManager(retries=False, timeout=SECONDS)

    def signature(self) -> Signature:
        """Return the signature of the model. Raises PredictError, at once if there is no API."""
        answer = self._ask("GET", self._address, None, ONCE)
        if answer.status != 200:
            raise PredictError(f"{self._address} answers {answer.status}: {answer.problem}")
        try:
            return Signature.model_validate(answer.document["signature"])
        except (KeyError, ValidationError) as error:
            raise PredictError(f"{self._address} is not a model of offpath's API: {error}") from error

    def predict(self, records: Sequence[Any]) -> Answer:
        """Return the answer for these records. Raises PredictError if there is none for two minutes."""
        body = json.dumps({"inputs": list(records)}, allow_nan=False).encode()
        return self._ask("POST", f"{self._address}/predict{self._query}", body, OUTAGE)

    def _ask(self, method: str, address: str, body: bytes | None, patience: Backoff) -> Answer:
        reason = ""
        for _ in attempts(patience):
            try:
                answer = self._pool.request(method, address, body=body, headers=self._headers)
            except HTTPError as error:
                reason = f"no prediction API answers at {address} ({error}): start one with `make up`, or name --url"
                continue
            if answer.status not in LATER:
                return Answer(answer.status, _document(answer.data))
            reason = f"{address} answers {answer.status}: {answer.data[:LONGEST].decode(errors='replace')}"
        raise PredictError(reason)


def _document(content: bytes) -> Mapping[str, Any]:
    try:
        document = json.loads(content)
    except ValueError:
        document = None
    return document if isinstance(document, dict) else {"detail": content[:LONGEST].decode(errors="replace")}
