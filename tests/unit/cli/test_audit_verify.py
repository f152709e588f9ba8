"""MLflow is asked for the traces that receipts say it took, and each that it lacks is named."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import pytest

from offpath.contracts.errors import Transient
from offpath.contracts.event_summary import EventSummary
from offpath.mlflow.http import Answer
from offpath_cli.audit.verify import Absent, Expected, Sample, absent, expected
from tests.support.golden import golden_message
from trace_writer.audit.ledger import ArchivedEvent

NOON = datetime(2031, 7, 14, 12, 0, tzinfo=UTC)


class Server:
    """An MLflow with some traces: how many spans by trace id."""

    url = "http://mlflow"

    def __init__(self, spans: Mapping[str, int], answer: Answer | None = None) -> None:
        self._spans = spans
        self._answer = answer
        self.asked: list[int] = []

    def request(self, method: str, path: str) -> Answer:
        ids = parse_qs(urlsplit(path).query)["trace_ids"]
        self.asked.append(len(ids))
        there = [one for one in ids if one.removeprefix("tr-") in self._spans]
        traces = [
            {"trace_info": {"trace_id": one}, "spans": [{}] * self._spans[one.removeprefix("tr-")]} for one in there
        ]
        return self._answer or Answer(200, {}, json.dumps({"traces": traces}).encode())


def of(number: int, spans: int = 2) -> Expected:
    return Expected(EventSummary("ab" * 16, number, f"t{number}", "", "iris", NOON), spans)


def test_traces_that_are_not_there_or_not_whole_are_named() -> None:
    told: list[int] = []
    server = Server({"t1": 2, "t2": 1, "t4": 5})
    found = list(absent(server, map(of, (1, 2, 3, 4)), told.append))
    assert found == [Absent("t2", "iris", "ab" * 16, 2, 2, 1), Absent("t3", "iris", "ab" * 16, 3, 2, 0)]
    assert told == [4]


def test_many_traces_are_asked_for_in_batches() -> None:
    server = Server({f"t{number}": 2 for number in range(120)})
    told: list[int] = []
    assert list(absent(server, map(of, range(120)), told.append)) == []
    assert (server.asked, told) == ([50, 50, 20], [50, 100, 120])


def test_a_trace_of_no_readable_spans_must_be_there() -> None:
    assert [one.found for one in absent(Server({}), [of(1, 0)], lambda _: None)] == [0]
    assert list(absent(Server({"t1": 1}), [of(1, 0)], lambda _: None)) == []


@pytest.mark.parametrize(
    "answer", [Answer(503, {}, b"busy"), Answer(200, {}, b"<html>"), Answer(200, {}, b"[]"), Answer(401, {}, b"")]
)
def test_an_answer_that_is_none_could_not_be_told(answer: Answer) -> None:
    with pytest.raises(Transient):
        list(absent(Server({}, answer), [of(1)], lambda _: None))


def archived(number: int) -> ArchivedEvent:
    return ArchivedEvent(b"{}", of(number).event, NOON)


def test_each_event_is_drawn_with_the_same_chance() -> None:
    drawn = [0] * 40
    for seed in range(600):
        sample = Sample(10, seed)
        for number in range(40):
            sample.see(archived(number))
        numbers = [one.event.sequence for one in sample.drawn]
        assert len(set(numbers)) == 10
        for number in numbers:
            drawn[number] += 1
    assert min(drawn) > 100
    assert max(drawn) < 200


def test_of_fewer_events_all_are_drawn() -> None:
    sample = Sample(10)
    for number in range(7):
        sample.see(archived(number))
    assert [one.event.sequence for one in sample.drawn] == list(range(7))
    none = Sample(0)
    none.see(archived(1))
    assert none.drawn == []


def test_spans_are_counted_each_once() -> None:
    line = golden_message("otlp-json/1/predicted.json").body.encode()
    twice = json.loads(line)
    twice["resourceSpans"] *= 2
    for content, count in ((line, 3), (json.dumps(twice).encode(), 3), (b"{}", 0), (b"no", 0)):
        assert expected(ArchivedEvent(content, EventSummary(), NOON)).spans == count
