"""Run all real processes at once: no trace is lost while MLflow is away, no request while a model changes."""

import os
import re
import signal
import threading
from collections import Counter
from typing import Any

from local.stack.web import fetch, succeeds
from offpath.contracts.errors import Transient
from tests.support.servers.stack_user import RECORD, User, spans_of
from tests.support.waiting import wait_for

PREDICTIONS = 200


def test_predictions_during_an_mlflow_outage_are_traced_once_each(stack: User) -> None:
    mlflow = stack.pid_of("mlflow")
    os.killpg(mlflow, signal.SIGSTOP)  # it answers nothing until it is killed; then the supervisor starts another
    predicted = [stack.predict() for _ in range(PREDICTIONS)]
    assert not succeeds(f"{stack.settings.mlflow_url}/health"), "MLflow was away all the while"
    os.killpg(mlflow, signal.SIGKILL)

    wait_for(lambda: set(predicted) <= set(_traces(stack)), lambda: stack.commands[0].text[-3000:])
    counted = Counter(stack.traces())
    assert {counted[trace_id] for trace_id in predicted} == {1}

    archived = {f"tr-{span['traceId']}" for event in stack.archived() for span in spans_of(event)}
    assert set(predicted) <= archived
    wait_for(lambda: not _gaps(stack.archived()), lambda: f"lost: {_gaps(stack.archived())}")


def test_killed_parts_cost_no_trace(stack: User) -> None:
    predicted = [stack.predict() for _ in range(10)]
    for name in ("sqs", "writer", "s3", "mlflow"):
        os.killpg(stack.pid_of(name), signal.SIGKILL)
        predicted += [stack.predict() for _ in range(10)]

    wait_for(lambda: set(predicted) <= set(_traces(stack)), lambda: stack.commands[0].text[-3000:])
    archived = {f"tr-{span['traceId']}" for event in stack.archived() for span in spans_of(event)}
    assert set(predicted) <= archived
    assert max(Counter(stack.traces()).values()) == 1
    wait_for(lambda: not _gaps(stack.archived()), lambda: f"lost: {_gaps(stack.archived())}")


def _traces(stack: User) -> list[str]:
    """Every trace, or none while MLflow is not up again."""
    try:
        return stack.traces()
    except Transient:
        return []


def _gaps(archived: list[dict[str, Any]]) -> set[tuple[str, int]]:
    """Every process numbers its events from 1: what is missing below the highest number is on its way, or was lost."""
    numbers: dict[str, set[int]] = {}
    for event in archived:
        for span in spans_of(event):
            attributes = {item["key"]: item["value"] for item in span.get("attributes", [])}
            if "offpath.sequence" in attributes:
                instance = attributes["offpath.instance"]["stringValue"]
                numbers.setdefault(instance, set()).add(int(attributes["offpath.sequence"]["intValue"]))
    assert numbers
    return {
        (instance, number)
        for instance, found in numbers.items()
        for number in range(1, max(found) + 1)
        if number not in found
    }


def test_a_new_version_is_served_and_no_request_fails_meanwhile(stack: User) -> None:
    url = f"{stack.settings.api_url}/models/iris/predict"
    answers: list[str] = []
    stop = threading.Event()

    def keep_asking() -> None:
        while not stop.wait(0.01):
            answers.append(fetch(url, RECORD)["version"])

    asking = threading.Thread(target=keep_asking)
    asking.start()
    try:
        before = fetch(url, RECORD)["version"]
        training = stack.run_module(
            "training", "iris", "-p", "c=0.2", "--promote", "--tracking-uri", stack.settings.mlflow_url
        )
        training.wait_for(r"iris version \d+ is champion")
        wait_for(lambda: answers and answers[-1] != before, lambda: stack.commands[0].text[-3000:], seconds=60)
    finally:
        stop.set()
        asking.join()
    registered = re.search(r"iris version (\d+) is champion", training.text)
    assert registered
    assert answers[-1] == registered.group(1)
    assert set(answers) == {before, answers[-1]}
    assert stack.commands[0].process.poll() is None
