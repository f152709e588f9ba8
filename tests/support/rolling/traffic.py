"""Callers of a deployment, who notice whatever is not answered, and the account of what became of each event."""

from __future__ import annotations

import gzip
import json
import threading
import urllib.error
import urllib.request
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.support.rolling.deployment import Api, Deployment
from tests.support.rolling.served_models import CALLS, MODELS, Call
from tests.support.servers.mlflow_rest import Mlflow
from tests.support.waiting import DEADLINE_SECONDS, wait_for

PAUSE_SECONDS = 0.5


def ask(url: str, body: Any = None) -> tuple[int, dict[str, Any]]:
    """Send a GET, or with a body a POST, and return the status and the JSON of the answer."""
    content = None if body is None else json.dumps(body).encode()
    try:
        with urllib.request.urlopen(urllib.request.Request(url, content), timeout=DEADLINE_SECONDS) as answer:
            return int(answer.status), json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def predict(api: Api, call: Call) -> dict[str, Any]:
    """The answer to a call, whose trace is one to be accounted for."""
    status, answer = ask(f"{api.url}/models/{call.model}/predict", call.body)
    if "trace_id" in answer:
        api.answered.append((answer["trace_id"].removeprefix("tr-"), call.model))
    assert status == 200, f"{call.model} of {api.release.name} API: {answer}"
    return answer


def predict_each(deployment: Deployment) -> set[str]:
    """Ask for each prediction once, and return the trace ids."""
    with deployment.asked() as api:
        return {predict(api, call)["trace_id"].removeprefix("tr-") for call in CALLS}


class Callers:
    """Ask for predictions of each model, and whether all is well, again and again. faults: what was not so."""

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="callers")
        self.faults: list[str] = []

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Return once the last request is answered."""
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopping.wait(PAUSE_SECONDS):
            for call in CALLS:
                self._ask(call)

    def _ask(self, call: Call) -> None:
        with self._deployment.asked() as api:
            try:
                predict(api, call)
                status, health = ask(f"{api.url}/health")
                assert (status, health["status"]) == (200, "ok"), health
            except (AssertionError, OSError) as fault:
                self.faults.append(f"{api.release.name} API: {fault}")


@contextmanager
def callers(deployment: Deployment) -> Iterator[None]:
    """Keep callers at it until the block ends. Raises AssertionError if any of them was not served."""
    asking = Callers(deployment)
    asking.start()
    try:
        yield
    finally:
        asking.stop()
    assert asking.faults == []


class Account:
    """Tells what became of the events of a deployment."""

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment
        self._mlflow = Mlflow(deployment.services.mlflow_url)
        self._read: dict[str, list[tuple[str, str, int]]] = {}

    def deliver(self, trace_ids: set[str]) -> None:
        """Return once each of these is in the archive."""
        wait_for(lambda: trace_ids <= self.archived_ids(), self._deployment.logs)

    def answered_ids(self) -> set[str]:
        """Return the trace ids of all predictions that were answered until now."""
        return {trace_id for trace_id, _ in self._answered()}

    def archived_ids(self) -> set[str]:
        """Return the trace ids in the archive."""
        return {trace_id for trace_id, _, _ in self.archived()}

    def settle(self) -> None:
        """Return once every prediction that was answered is in the archive and in MLflow, with no event missing."""
        wait_for(lambda: not self.missing(), lambda: f"missing: {self.missing()}\n{self._deployment.logs()}")
        numbers = defaultdict(set)
        for _, instance, number in self.archived():
            numbers[instance].add(number)
        for instance, found in numbers.items():
            assert found == set(range(1, max(found) + 1)), f"{instance} lacks events: {sorted(found)}"
        assert sum(map(len, numbers.values())) == len(self._answered())
        assert self._waiting(self._deployment.dead_letters) == 0

    def missing(self) -> dict[str, set[str]]:
        """Trace ids that are not in the archive, and for each model those that are not in MLflow, or too many."""
        answered = self._answered()
        found = {"archive": self.answered_ids() ^ self.archived_ids()}
        for model in MODELS:
            of_model = {trace_id for trace_id, name in answered if name == model}
            found[model] = of_model ^ self._mlflow.trace_ids(f"{self._deployment.name}/{model}")
        return {where: traces for where, traces in found.items() if traces}

    def archived(self) -> list[tuple[str, str, int]]:
        """Trace id, instance and number of each event in the archive."""
        bucket, s3 = self._deployment.name, self._deployment.s3
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix="archive/v1/"):
            for entry in page.get("Contents", []):
                if entry["Key"] not in self._read:
                    content = s3.get_object(Bucket=bucket, Key=entry["Key"])["Body"].read()
                    self._read[entry["Key"]] = [_event(line) for line in gzip.decompress(content).splitlines()]
        return [event for events in self._read.values() for event in events]

    def _answered(self) -> list[tuple[str, str]]:
        return [answer for api in self._deployment.apis for answer in api.answered]

    def _waiting(self, queue: str) -> int:
        answer = self._deployment.sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["All"])
        return int(answer["Attributes"]["ApproximateNumberOfMessages"])


def _event(line: bytes) -> tuple[str, str, int]:
    scopes = [scope for resource in json.loads(line)["resourceSpans"] for scope in resource["scopeSpans"]]
    for span in (span for scope in scopes for span in scope["spans"]):
        attributes = {entry["key"]: next(iter(entry["value"].values())) for entry in span["attributes"]}
        if "offpath.sequence" in attributes:
            return span["traceId"], attributes["offpath.instance"], int(attributes["offpath.sequence"])
    raise AssertionError(f"an event without a number: {line[:200]!r}")
