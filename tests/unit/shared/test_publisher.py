"""An event ends on the queue, in the spill store or in the log: never nowhere."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

import pytest
from botocore.exceptions import ClientError

from offpath.aws.s3 import Bucket, S3Claims
from offpath.contracts import spilled
from offpath.testing import InMemoryBucket, InMemoryQueue, ManualClock
from offpath.tracing._destinations import Destinations, Store
from offpath.tracing._otlp import EndedTrace, encode
from offpath.tracing._publisher import PublisherSettings, TracePublisher
from tests.support.builders.spans import ended_trace

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class Setup:
    """A publisher over fakes, with a clock that only sleeping moves."""

    def __init__(self, failures: int = 0, max_message_bytes: int = 900_000, spill_store: Store | None = None) -> None:
        self.queue, self.bucket, self.log = InMemoryQueue(), InMemoryBucket(), list[str]()
        self.queue.fail_next(failures)
        self.clock = ManualClock()
        self.publisher = TracePublisher(
            Destinations(self.queue, S3Claims(self.bucket), spill_store or self.bucket, self.log.append),
            PublisherSettings(
                queue_name="offpath-traces",
                experiment="offpath",
                max_message_bytes=max_message_bytes,
                budget_seconds=2.0,
            ),
            self.clock,
        )

    def publish(self, traces: Sequence[EndedTrace]) -> None:
        self.publisher.publish(traces)

    @property
    def queued(self) -> list[str]:
        return [message.attributes["trace_id"] for message in self.queue.messages]

    @property
    def spilled(self) -> list[str]:
        kept = [spilled.load(content) for key, content in self.bucket.objects.items() if key.startswith("spill/")]
        return [message.attributes["trace_id"] for message in kept]


def ids(traces: Sequence[EndedTrace]) -> list[str]:
    return [encode(trace, "offpath").trace_id for trace in traces]


def test_traces_are_queued_ten_at_a_time() -> None:
    setup, traces = Setup(), [ended_trace() for _ in range(23)]
    setup.publish(traces)
    assert setup.queued == ids(traces)
    assert setup.queue.sizes == [10, 10, 3]


def test_a_batch_stays_below_what_sqs_takes() -> None:
    setup, traces = Setup(), [ended_trace(text="x" * 600_000) for _ in range(3)]
    setup.publish(traces)
    assert setup.queued == ids(traces)
    assert setup.queue.sizes == [1, 1, 1]


def test_a_large_trace_is_queued_as_a_claim() -> None:
    setup, trace = Setup(max_message_bytes=1000), ended_trace(text="x" * 1000)
    setup.publish([trace])
    assert setup.queue.messages[0].attributes["kind"] == "claimed"
    assert [key.split("/")[0] for key in setup.bucket.objects] == ["claims"]


def test_a_short_outage_is_waited_out() -> None:
    setup, trace = Setup(failures=3), ended_trace()
    setup.publish([trace])
    assert setup.queued == ids([trace])
    assert setup.spilled == []


def test_what_sqs_refuses_of_a_batch_is_tried_again_alone() -> None:
    setup, traces = Setup(), [ended_trace() for _ in range(2)]
    setup.queue.refused = {encode(traces[0], "offpath").body}
    setup.publish(traces)
    assert setup.queued == ids(traces[1:])
    assert setup.spilled == ids(traces[:1])


def test_long_outage_spills_within_the_budget() -> None:
    setup, trace = Setup(failures=10_000), ended_trace()
    setup.publish([trace])
    assert setup.spilled == ids([trace])
    assert sum(setup.clock.pauses) <= 2.0
    assert setup.log == []


def test_queue_is_left_alone_during_an_outage_then_retried() -> None:
    setup = Setup(failures=10_000)
    setup.publish([ended_trace()])
    attempts = setup.queue.calls
    setup.publish([ended_trace()])
    assert setup.queue.calls == attempts
    setup.queue.fail_next(0)
    setup.clock.advance(5.0)
    trace = ended_trace()
    setup.publish([trace])
    assert setup.queued == ids([trace])


def test_a_queue_that_still_fails_is_left_alone_anew() -> None:
    setup = Setup(failures=10_000)
    setup.publish([ended_trace()])
    setup.clock.advance(5.0)
    setup.publish([ended_trace()])
    attempts = setup.queue.calls
    setup.publish([ended_trace()])
    assert setup.queue.calls == attempts
    assert len(setup.spilled) == 3


def test_short_trouble_of_sqs_spills_little_after_it_ends() -> None:
    setup = Setup()
    begun, last_spill = setup.clock.now(), 0.0
    while (now := setup.clock.now() - begun) < 8.0:
        setup.queue.down = now < 2.5
        before = len(setup.spilled)
        setup.publish([ended_trace()])
        last_spill = now if len(setup.spilled) > before else last_spill
        setup.clock.advance(0.05)
    assert last_spill <= 2.5 + 1.25


def test_a_probe_of_the_queue_is_sent_once() -> None:
    setup = Setup(failures=10_000)
    setup.publish([ended_trace()])
    setup.clock.advance(5.0)
    before, pauses = setup.queue.calls, len(setup.clock.pauses)
    setup.publish([ended_trace()])
    assert (setup.queue.calls - before, len(setup.clock.pauses) - pauses) == (1, 0)


def test_small_trace_does_not_probe_the_store() -> None:
    setup, large = Setup(max_message_bytes=1000), ended_trace(text="x" * 1000)
    setup.bucket.down = True
    setup.publish([large])
    setup.bucket.down = False
    setup.clock.advance(5.0)
    setup.publish([ended_trace(), large])
    assert [message.attributes["kind"] for message in setup.queue.messages] == ["inline", "inline", "claimed"]


def test_last_resort_log_can_be_read_back() -> None:
    setup, trace = Setup(failures=10_000), ended_trace(text="é" * 10)
    setup.bucket.down = True
    setup.publish([trace])
    [message] = spilled.from_log(setup.log)
    assert message.body == encode(trace, "offpath").body


def test_large_trace_is_queued_whole_without_claim_store() -> None:
    setup, trace = Setup(max_message_bytes=1000), ended_trace(text="x" * 1000)
    setup.bucket.down = True
    setup.publish([trace])
    assert setup.queue.messages[0].attributes["kind"] == "inline"


def test_trace_that_fits_nowhere_else_is_logged() -> None:
    setup, trace = Setup(), ended_trace(text="x" * 2_000_000)
    setup.bucket.down = True
    setup.publish([trace, ended_trace()])
    assert len(setup.queued) == 1
    assert [message.attributes["trace_id"] for message in spilled.from_log(setup.log)] == ids([trace])


def test_missing_bucket_ends_in_the_log() -> None:
    class NoBucket:
        """An S3 that has no such bucket."""

        def put_object(self, **_: Any) -> None:
            raise ClientError({"Error": {"Code": "NoSuchBucket", "Message": "no such bucket"}}, "PutObject")

    gone, trace = Bucket(cast("S3Client", NoBucket()), "gone"), ended_trace()
    setup = Setup(failures=10_000, spill_store=gone)
    setup.publish([trace])
    assert [message.attributes["trace_id"] for message in spilled.from_log(setup.log)] == ids([trace])


def test_a_store_that_failed_is_left_alone_for_a_while() -> None:
    setup = Setup(failures=10_000)
    setup.bucket.down = True
    setup.publish([ended_trace()])
    setup.bucket.down = False
    setup.publish([ended_trace()])
    assert len(list(spilled.from_log(setup.log))) == 2
    setup.clock.advance(5.0)
    setup.publish([ended_trace()])
    assert len(setup.spilled) == 1


def test_logging_unsent_traces_asks_no_service() -> None:
    setup, traces = Setup(max_message_bytes=1000), [ended_trace(), ended_trace(text="x" * 1000)]
    setup.publisher.log_unsent(traces)
    assert setup.queue.calls == 0
    assert setup.bucket.objects == {}
    assert [message.attributes["trace_id"] for message in spilled.from_log(setup.log)] == ids(traces)


def test_unencodable_trace_costs_no_other_trace(caplog: pytest.LogCaptureFixture) -> None:
    setup, good = Setup(), ended_trace()
    broken: Any = EndedTrace([], object(), good.number)  # type: ignore[arg-type]
    setup.publish([broken, good])
    assert setup.queued == ids([good])
    assert "is lost" in caplog.text
