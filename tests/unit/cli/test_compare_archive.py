"""Traces as the archive keeps them."""

import gzip
import json
from datetime import UTC, datetime, timedelta

import pytest

import events
from local.testbed.models import SETOSA, iris_version
from offpath.contracts.model_manifest import Manifest, RegisteredModel
from offpath.testing import InMemoryBucket, RecordingTracing
from offpath.tracing._tracing import TracingChoices
from offpath_cli.compare.archive import ArchivedTraces
from offpath_cli.compare.observation import observations
from offpath_cli.errors import CompareError
from tests.support.builders.api import Api

NOW = datetime(2026, 3, 1, 0, 30, tzinfo=UTC)


@pytest.fixture
def bucket() -> InMemoryBucket:
    return InMemoryBucket()


def archive(bucket: InMemoryBucket, at: datetime, *lines: str, name: str = "a") -> None:
    folder = at.strftime("archive/v1/date=%Y-%m-%d/hour=%H")
    bucket.objects[f"{folder}/{name}.jsonl.gz"] = gzip.compress("\n".join(lines).encode())


def bodies() -> list[str]:
    return [record["body"] for record in events.load("sqs_batch")["Records"] if record["body"].startswith('{"resource')]


def read(bucket: InMemoryBucket, model: str, hours: int = 2) -> int:
    traces = ArchivedTraces(bucket, NOW - timedelta(hours=hours), NOW)
    return sum(1 for spans in traces.spans(model) for _ in observations(spans, model))


def test_answers_are_found_and_what_was_delivered_twice_counts_once(bucket: InMemoryBucket) -> None:
    archive(bucket, NOW, *bodies())
    once = read(bucket, "iris")
    assert once > 0
    archive(bucket, NOW, *bodies(), name="again")
    assert read(bucket, "iris") == once
    assert read(bucket, "abalone") == 0


def test_only_the_hours_asked_for_are_read_over_midnight(bucket: InMemoryBucket) -> None:
    archive(bucket, NOW - timedelta(hours=1), *bodies())
    assert read(bucket, "iris", hours=1) > 0
    assert read(bucket, "iris", hours=0) == 0


def test_what_began_earlier_within_the_first_hour_is_passed_over(bucket: InMemoryBucket) -> None:
    began = datetime(2026, 9, 21, 14, 13, 21, tzinfo=UTC)  # the first of three, a second apart
    archive(bucket, began, *bodies())
    found = [
        len(list(ArchivedTraces(bucket, began + timedelta(seconds=seconds), began).spans("iris"))) for seconds in (0, 1)
    ]
    assert found[0] - found[1] == 1


def test_predictions_and_times_are_read_as_written(bucket: InMemoryBucket) -> None:
    archive(bucket, NOW, json.dumps(json.loads(bodies()[0])))
    [spans] = ArchivedTraces(bucket, NOW, NOW).spans("iris")
    [seen] = observations(spans, "iris")
    assert (seen.alias, seen.version, list(seen.predicted)) == ("champion", "1", ["setosa"])
    assert seen.request_ms == 1.0


def test_traces_of_any_experiment_are_found_by_their_model(bucket: InMemoryBucket) -> None:
    api = Api(tracing=RecordingTracing(choices=TracingChoices(traceparent="continue")))
    aliases = {"champion": iris_version(), "next": iris_version("2", weight=0, shadow=True)}
    api.store.publish(Manifest(models={"iris": RegisteredModel(aliases=aliases)}))
    api.loader.refresh()
    caller = {"traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "tracestate": "offpath=shop"}
    assert api.client.post("/models/iris/predict", json=SETOSA, headers=caller).status_code == 200
    api.traced.run_periodic_tasks()
    assert [event.experiment for event in api.traced.events] == ["shop", "offpath/iris/shadow"]
    now = datetime.now(UTC)
    archive(bucket, now, *(event.body for event in api.traced.events))
    traces = ArchivedTraces(bucket, now - timedelta(hours=1), now).spans("iris")
    seen = [one for spans in traces for one in observations(spans, "iris")]
    assert [(one.alias, one.is_shadow) for one in seen] == [("champion", False), ("next", True)]


def test_a_bucket_that_does_not_answer_is_said(bucket: InMemoryBucket) -> None:
    bucket.down = True
    with pytest.raises(CompareError, match="the archive cannot be read"):
        read(bucket, "iris")
