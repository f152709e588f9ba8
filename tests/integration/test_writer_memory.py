"""Whatever the queue holds, the writer stays within 300 MB, as a process of its own under a hard limit."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from pathlib import Path

import pytest

from local.sources import ROOT
from offpath.aws.clients import s3_client
from offpath.aws.s3 import Bucket, S3Claims
from offpath.contracts.message import Message
from offpath.contracts.trace_event import TraceEvent
from tests.support.builders.trace_events import claimed, sqs_event
from tests.support.servers.mlflow_stub import stub_mlflow

LIMIT = 300_000_000
EVENT_BYTES = 5_000_000
TEXTS = {
    "accents": "é",
    "characters of three bytes": "中",
    "emoji": "\N{GRINNING FACE}",
    "one emoji": "a" * 5_000_000 + "\N{GRINNING FACE}",
    "letters": "ab" * 50,
}


@pytest.fixture
def bucket(bucket_name: str) -> Bucket:
    return Bucket(s3_client(), bucket_name)


def event(text: str, *, escaped: bool) -> TraceEvent:
    """Return a trace whose body is of some five megabytes, with a text that is repeated as often as it takes."""
    trace_id = uuid.uuid4().hex
    inputs = json.dumps({"inputs": text * max(1, EVENT_BYTES // len(text.encode()))}, ensure_ascii=escaped)
    return with_spans(
        trace_id, [{"attributes": [{"key": "mlflow.spanInputs", "value": {"stringValue": inputs}}]}], escaped=escaped
    )


def with_spans(trace_id: str, spans: list[dict[str, object]], *, escaped: bool = True) -> TraceEvent:
    framed = [
        {"traceId": trace_id, "spanId": f"{number:016x}", "name": "span", **span}
        for number, span in enumerate(spans, 1)
    ]
    document = {"resourceSpans": [{"scopeSpans": [{"spans": framed}]}]}
    return TraceEvent(trace_id, "offpath/iris", json.dumps(document, ensure_ascii=escaped, separators=(",", ":")))


def write(messages: dict[str, Message], bucket: Bucket, folder: Path) -> dict[str, int]:
    """Let a process of its own write these messages; return how many failed, and the most memory that it had."""
    batch = folder / "event.json"
    batch.write_text(json.dumps(sqs_event(messages)))
    with stub_mlflow() as mlflow:
        settings = {"OFFPATH_BUCKET": bucket.name, "OFFPATH_MLFLOW_URL": mlflow.url, "POWERTOOLS_LOG_LEVEL": "ERROR"}
        paths = [str(ROOT / "functions" / "trace_writer"), str(ROOT / "layers" / "shared"), str(ROOT)]
        ended = subprocess.run(
            [sys.executable, "-m", "tests.support.limited_writer", str(LIMIT), str(batch)],
            env={**os.environ, **settings, "PYTHONPATH": os.pathsep.join(paths)},
            capture_output=True,
            text=True,
            cwd=ROOT,
            timeout=300,
            check=False,
        )
    assert ended.returncode == 0, ended.stdout[-2000:] + ended.stderr[-2000:]
    answer: dict[str, int] = json.loads(ended.stdout.splitlines()[-1])
    return answer


def test_fifty_large_claims_stay_within_the_limit(bucket: Bucket, tmp_path: Path) -> None:
    events = [event(text, escaped=escaped) for text in TEXTS.values() for escaped in (True, False)]
    claims = [claimed(it, S3Claims(bucket)) for it in events]

    answer = write({str(number): claims[number % len(claims)] for number in range(50)}, bucket, tmp_path)

    assert answer["failed"] == 0
    assert answer["peak"] <= LIMIT


def test_events_of_many_small_values_stay_within_it(bucket: Bucket, tmp_path: Path) -> None:
    many: dict[str, list[dict[str, object]]] = {
        "lists": [{"junk": [[]] * 1_500_000}],
        "spans": [{}] * 50_000,
        "attributes": [{"attributes": [{"key": f"k{n}", "value": {"intValue": "7"}} for n in range(200_000)]}],
        "allowed": [{"attributes": [{"key": f"k{n}", "value": {"intValue": "7"}} for n in range(60_000)]}],
    }
    claims = {kind: claimed(with_spans(uuid.uuid4().hex, spans), S3Claims(bucket)) for kind, spans in many.items()}
    messages = {f"{kind} {number}": claim for kind, claim in claims.items() for number in range(5)}

    answer = write(messages, bucket, tmp_path)

    assert answer["failed"] == 15
    assert answer["peak"] <= LIMIT
