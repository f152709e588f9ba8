"""A handler for `python -m local.aws.writer_loop` that does what a message's body says, and writes down what it got."""

import sys
import time
from typing import Any

PAUSE_SECONDS = 0.05


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """`fail`: reported; `crash`: raises; `hang`: says again and again that it goes on; anything else succeeds."""
    failures = []
    for record in event["Records"]:
        body = record["body"]
        _say(f"got {body}, receive {record['attributes']['ApproximateReceiveCount']}")
        while body == "hang":
            _say("going on")
            time.sleep(PAUSE_SECONDS)
        if body == "crash":
            raise RuntimeError("this message crashes the handler")
        if body == "fail":
            failures.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failures}


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
