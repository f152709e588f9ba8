"""The stand-ins for tests do what their descriptions say, and what no service can be asked for at will."""

import doctest
import importlib
import inspect
from pathlib import Path

import pytest

import offpath.testing
from offpath.contracts.errors import Transient
from offpath.contracts.message import Message
from offpath.testing import InMemoryBucket, InMemoryQueue, InMemorySecrets, ManualClock, RecordingTracing

MODULES = sorted(path.stem for path in Path(inspect.getfile(offpath.testing)).parent.glob("_[a-z]*.py"))


@pytest.mark.parametrize("name", [name for name in MODULES if name != "_service"])
def test_the_examples_in_the_descriptions_are_true(name: str) -> None:
    result = doctest.testmod(importlib.import_module(f"offpath.testing.{name}"))
    assert result.attempted > 0
    assert result.failed == 0


def test_a_service_fails_as_often_as_it_is_told() -> None:
    bucket = InMemoryBucket()
    bucket.fail_next(2)
    for _ in range(2):
        with pytest.raises(Transient, match="writing s3://archive/a: the service does not answer"):
            bucket.put("a", b"")
    bucket.put("a", b"")
    assert (bucket.calls, bucket.written) == (3, ["a"])


def test_a_service_that_is_down_fails_until_it_is_up() -> None:
    secrets = InMemorySecrets(mlflow="text")
    secrets.down = True
    with pytest.raises(Transient, match="the service does not answer"):
        secrets.text("mlflow")
    secrets.down = False
    assert secrets.text("mlflow") == "text"
    assert secrets.fetched == ["mlflow", "mlflow"]


def test_the_keys_that_were_written_are_kept_in_their_order() -> None:
    bucket = InMemoryBucket(objects={"a": b""})
    bucket.put("b", b"")
    bucket.put_if_unchanged("c", b"", None)
    bucket.put("b", b"")
    assert bucket.written == ["b", "c", "b"]


def test_a_message_that_was_received_is_visible_again_in_time() -> None:
    clock = ManualClock()
    queue = InMemoryQueue(visibility_seconds=30, now=clock.now)
    queue.send([Message("a", {})])
    queue.receive(10)
    clock.advance(29)
    assert queue.receive(10) == []
    clock.advance(1)
    [again] = queue.receive(10)
    assert again["Attributes"]["ApproximateReceiveCount"] == "2"


def test_refused_message_comes_back_and_others_are_taken() -> None:
    queue = InMemoryQueue()
    queue.refused.add("b")
    assert queue.send([Message("a", {}), Message("b", {})]) == [Message("b", {})]
    assert (queue.messages, queue.sizes) == ([Message("a", {})], [1])


def test_missing_span_is_named_with_the_recorded_ones() -> None:
    tracing = RecordingTracing()
    tracing.tracer("test").start_span("root").end()
    with pytest.raises(LookupError, match=r"no span 'child' in \['root'\]"):
        tracing.traces[0].span("child")


def test_periodic_tasks_run_when_the_test_says() -> None:
    tracing, runs = RecordingTracing(), list[int]()
    tracing.add_periodic_task(lambda: runs.append(1))
    assert runs == []
    tracing.run_periodic_tasks()
    assert runs == [1]
