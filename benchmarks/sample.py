"""Hold the request that is measured: the sample event's own."""

import events

_REQUEST = events.load("api_predict_iris")
PATH: str = _REQUEST["rawPath"]
BODY: bytes = _REQUEST["body"].encode()
