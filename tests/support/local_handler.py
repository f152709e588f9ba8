"""A handler for `python -m local.aws.writer_loop` that does what a message's body says, and writes down what it got."""

import sys
import time
from typing import Any


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """`fail`: reported; `crash`: raises; `hang`: takes very long; anything else succeeds."""
    failures = []
    for record in event["Records"]:
        body = record["body"]
        sys.stdout.write(f"got {body}, receive {record['attributes']['ApproximateReceiveCount']}\n")
        sys.stdout.flush()
        if body == "hang":
            time.sleep(600)
        if body == "crash":
            raise RuntimeError("this message crashes the handler")
        if body == "fail":
            failures.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failures}
