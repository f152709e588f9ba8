"""Traces are handed over whole, when the request's own span ends."""

import json
import random
import time
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, Decision, Sampler, SamplingResult
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags

from offpath.testing import RecordedTrace, RecordingTracing
from offpath.tracing._collector import TraceCollector
from offpath.tracing._event_sequence import EventSequence
from offpath.tracing._otlp import EndedTrace

REMOTE = SpanContext(0x4BF92F3577B34DA6A3CE929D0E0E4736, 0x00F067AA0BA902B7, is_remote=True, trace_flags=TraceFlags(1))


def names(ended: RecordedTrace) -> list[str]:
    return [span.name for span in ended.spans]


def test_nothing_is_delivered_before_the_root_ends() -> None:
    tracing = RecordingTracing()
    tracer = tracing.tracer("test")
    with tracer.start_as_current_span("root"):
        with tracer.start_as_current_span("child"):
            pass
        assert tracing.traces == []
    assert [names(ended) for ended in tracing.traces] == [["child", "root"]]
    assert tracing.traces[0].root.name == "root"


def test_a_span_that_continues_a_callers_trace_is_a_root() -> None:
    tracing = RecordingTracing()
    tracer = tracing.tracer("test")
    caller = trace.set_span_in_context(NonRecordingSpan(REMOTE))
    with tracer.start_as_current_span("root", context=caller), tracer.start_as_current_span("child"):
        pass
    assert [names(ended) for ended in tracing.traces] == [["child", "root"]]
    assert tracing.events[0].trace_id == "4bf92f3577b34da6a3ce929d0e0e4736"


def test_late_span_is_an_event_of_its_own() -> None:
    tracing = RecordingTracing()
    tracer = tracing.tracer("test")
    with tracer.start_as_current_span("root"):
        late = tracer.start_span("late")
    late.end()
    assert [names(ended) for ended in tracing.traces] == [["root"], ["late"]]
    assert tracing.events[0].trace_id == tracing.events[1].trace_id


def test_two_requests_in_one_callers_trace_lose_no_span() -> None:
    tracing = RecordingTracing()
    tracer = tracing.tracer("test")
    caller = trace.set_span_in_context(NonRecordingSpan(REMOTE))
    first, second = tracer.start_span("first", caller), tracer.start_span("second", caller)
    child = tracer.start_span("child", trace.set_span_in_context(second))
    first.end()
    child.end()
    second.end()
    assert [names(ended) for ended in tracing.traces] == [["first"], ["child", "second"]]


def test_each_event_is_numbered_without_a_gap() -> None:
    tracing = RecordingTracing()
    tracer = tracing.tracer("test")
    for _ in range(3):
        tracer.start_span("root").end()
    heads = [json.loads(event.body)["resourceSpans"][0]["scopeSpans"][0]["spans"][0] for event in tracing.events]
    attributes = [{item["key"]: item["value"] for item in head["attributes"]} for head in heads]
    assert [found["offpath.sequence"]["intValue"] for found in attributes] == ["1", "2", "3"]
    assert len({found["offpath.instance"]["stringValue"] for found in attributes}) == 1


class RecordOnly(Sampler):
    """Records every span, and samples none."""

    def should_sample(self, *args: Any, **kwargs: Any) -> SamplingResult:
        return SamplingResult(Decision.RECORD_ONLY)

    def get_description(self) -> str:
        return "record only"


@pytest.mark.parametrize("sampler", [ALWAYS_OFF, RecordOnly()])
def test_a_sampler_of_the_teams_own_is_respected(sampler: Sampler) -> None:
    delivered: list[EndedTrace] = []
    provider = TracerProvider(sampler=sampler)
    collector = TraceCollector(EventSequence())
    collector.deliver_to(delivered.append, lambda _: True)
    provider.add_span_processor(collector)
    provider.get_tracer("test").start_span("root").end()
    assert delivered == []


def test_a_forced_flush_is_the_workers() -> None:
    asked: list[float] = []

    def flush(seconds: float) -> bool:
        asked.append(seconds)
        return False

    provider = TracerProvider()
    collector = TraceCollector(EventSequence())
    collector.deliver_to(lambda ended: None, flush)
    provider.add_span_processor(collector)
    began = time.monotonic()
    assert not provider.force_flush(5_000)
    taken = time.monotonic() - began
    assert len(asked) == 1
    assert 4.9 - taken < asked[0] <= 5, "the worker has what is left of the time"


def test_ids_do_not_repeat_when_pythons_generator_does() -> None:
    tracing = RecordingTracing()
    for _ in range(2):
        random.seed(7)
        tracing.tracer("test").start_span("root").end()
    assert tracing.events[0].trace_id != tracing.events[1].trace_id
