"""A process that forks: each trace is sent once, by the process that it ended in."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from local.sources import ROOT
from offpath.contracts import spilled
from tests.support.otlp_json import attributes_of
from tests.support.servers.held_sqs import held_sqs
from tests.support.waiting import DEADLINE_SECONDS

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

INSTALL = """
import multiprocessing, os, sys, threading, time
import offpath
tracing = offpath.install(os.environ, service_name="forks")
tracer = tracing.tracer("forks")

def trace(name):
    with tracer.start_as_current_span(name), tracer.start_as_current_span("step of " + name):
        pass

def fork(child):
    pid = os.fork()
    if not pid:
        try:
            child()
            tracing.shutdown()
        finally:
            os._exit(0)
    return pid

def wait(*pids):
    for pid in pids:
        os.waitpid(pid, 0)
"""
CHILDREN = """
trace("before")
wait(*[fork(lambda number=number: trace(f"child {number}")) for number in range(3)])
trace("after")
"""
NESTED = """
trace("parent")
def child():
    trace("child")
    wait(fork(lambda: trace("grandchild")))
    trace("child again")
wait(fork(child))
trace("parent again")
"""
WITHIN_A_REQUEST = """
from opentelemetry import trace as otel
with tracer.start_as_current_span("root", attributes={"offpath.experiment": "own"}):
    tracer.start_span("parent's step").end()
    with otel.get_tracer("sdk").start_as_current_span("of the SDK"):
        def child():
            with tracer.start_as_current_span("child's step"):
                otel.get_tracer("sdk").start_span("child's of the SDK").end()
        pid = os.fork()
        if not pid:
            child()
        else:
            wait(pid)
            tracer.start_span("parent's second step").end()
"""
WITH_LOCKS_HELD = """
import boto3.session, logging
from offpath.tracing import _install
collector, worker = tracing.collector, tracing.worker
parents = worker._worker
trace("before")
tracing.collector.force_flush()
credentials = boto3.DEFAULT_SESSION.get_credentials()
publisher = parents._publisher._made
locks = [collector._lock, collector._ended._event_sequence._lock, worker._lock, parents._publisher._lock]
locks += [thread._lock for thread in (parents._sending, parents._spilling)]
locks += [publisher._queue_circuit._lock, publisher._store_circuit._lock]
held, release = threading.Event(), threading.Event()
def hold():
    for lock in locks:
        lock.acquire()
    held.set()
    release.wait()
    for lock in locks:
        lock.release()
holder = threading.Thread(target=hold)
holder.start()
held.wait()
pid = fork(lambda: trace("child"))
wait(pid)
release.set()
holder.join()
trace("after")
"""
WHILE_OTHERS_TRACE = """
def work(number):
    for _ in range(30):
        trace(f"thread {number}")
        time.sleep(0.01)
threads = [threading.Thread(target=work, args=[number]) for number in range(4)]
for thread in threads:
    thread.start()
children = []
for number in range(6):
    children.append(fork(lambda number=number: trace(f"child {number}")))
    time.sleep(0.03)
wait(*children)
for thread in threads:
    thread.join()
"""
IN_A_SIGNAL_HANDLER = """
import signal
children = []
def handle(*_):
    children.append(fork(lambda: trace("child")))
    wait(children[-1])
signal.signal(signal.SIGALRM, handle)
for number in range(12):
    signal.setitimer(signal.ITIMER_REAL, 0.00001 * (number + 1))
    trace("parent")
    signal.setitimer(signal.ITIMER_REAL, 0)
trace(f"after {len(children)}")
"""
AFTER_A_SHUTDOWN = """
trace("before")
tracing.shutdown()
wait(fork(lambda: trace("too late")))
"""
MULTIPROCESSING = """
context = multiprocessing.get_context("fork")
processes = [context.Process(target=trace, args=[f"process {number}"]) for number in range(2)]
for process in processes:
    process.start()
for process in processes:
    process.join()
trace("parent")
"""
POOL = """
import concurrent.futures
context = multiprocessing.get_context("fork")
with concurrent.futures.ProcessPoolExecutor(1, mp_context=context) as pool:
    list(pool.map(trace, [f"pooled {number}" for number in range(3)]))
trace("parent")
"""
PREFORK = """
import signal
def serve():
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    for number in range(2):
        trace(f"request {number}")
    os.write(ready, b"x")
    stop.wait()
told, ready = os.pipe()
workers = []
for _ in range(2):
    pid = os.fork()
    if not pid:
        serve()
    workers.append(pid)
for _ in workers:
    os.read(told, 1)
for pid in workers:
    os.kill(pid, signal.SIGTERM)
wait(*workers)
"""
TASKS = """
told, ready = os.pipe()
parent = os.getpid()
tracing.add_periodic_task(lambda: os.getpid() == parent or os.write(ready, b"x"))
pid = os.fork()
if not pid:
    time.sleep(60)
assert os.read(told, 1) == b"x", "the child runs its tasks without a trace"
os.kill(pid, 9)
wait(pid)
trace("after")
"""


@pytest.fixture
def environ(aws_endpoint: str, queue_url: str, bucket_name: str) -> dict[str, str]:
    slow = {"OFFPATH_PUBLISH_BUDGET_SECONDS": "60"}  # moto on a busy machine is not an SQS that is away
    own = {"OFFPATH_QUEUE_URL": queue_url, "OFFPATH_BUCKET": bucket_name}
    return {**os.environ, **slow, **own, "PYTHONPATH": str(ROOT / "layers" / "shared")}


def start(code: str, environ: dict[str, str]) -> subprocess.Popen[str]:
    command = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", INSTALL + code]
    return subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def sent(code: str, environ: dict[str, str], sqs: SQSClient, url: str) -> list[list[dict[str, Any]]]:
    """Run the program, and return the spans of each message that it sent.

    On a busy machine a process may need more than the time in which it must end: then the log is where it sends to.
    """
    with start(code, environ) as process:
        said, _ = process.communicate(timeout=DEADLINE_SECONDS)
    lines = said.splitlines()
    assert process.returncode == 0, said
    assert all(spilled.log_part(line) for line in lines), said
    return [*queued(sqs, url), *(spans_in(message.body) for message in spilled.from_log(lines))]


def queued(sqs: SQSClient, url: str) -> list[list[dict[str, Any]]]:
    """Return the spans of each message on the queue."""
    found = []
    while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        found += [spans_in(message["Body"]) for message in messages]
    return found


def spans_in(body: str) -> list[dict[str, Any]]:
    return [
        span for group in json.loads(body)["resourceSpans"] for scope in group["scopeSpans"] for span in scope["spans"]
    ]


def heads(messages: list[list[dict[str, Any]]]) -> list[str]:
    return sorted(spans[-1]["name"] for spans in messages)


def numbers(messages: list[list[dict[str, Any]]]) -> dict[str, list[int]]:
    """Return the numbers of each instance's events."""
    found: dict[str, list[int]] = {}
    for spans in messages:
        given = attributes_of(spans[-1])
        number = int(given["offpath.sequence"]["intValue"])
        found.setdefault(given["offpath.instance"]["stringValue"], []).append(number)
    return {instance: sorted(seen) for instance, seen in found.items()}


@dataclass(frozen=True)
class Case:
    """A program that forks. expected: the traces that are queued. instances: how many processes number them."""

    code: str
    expected: list[str]
    instances: int


CASES = {
    "children": Case(CHILDREN, ["after", "before", "child 0", "child 1", "child 2"], 4),
    "nested": Case(NESTED, ["child", "child again", "grandchild", "parent", "parent again"], 3),
    "locks held": Case(WITH_LOCKS_HELD, ["after", "before", "child"], 2),
    "multiprocessing": Case(MULTIPROCESSING, ["parent", "process 0", "process 1"], 3),
    "busy": Case(
        WHILE_OTHERS_TRACE,
        [f"child {number}" for number in range(6)] + [f"thread {number}" for number in range(4) for _ in range(30)],
        7,
    ),
    "pool": Case(POOL, ["parent", "pooled 0", "pooled 1", "pooled 2"], 2),
    "prefork": Case(PREFORK, ["request 0", "request 0", "request 1", "request 1"], 2),
    "tasks": Case(TASKS, ["after"], 1),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_each_process_sends_its_own_traces_once(
    case: Case, environ: dict[str, str], sqs: SQSClient, queue_url: str
) -> None:
    found = sent(case.code, environ, sqs, queue_url)
    assert heads(found) == case.expected
    by_instance = numbers(found)
    assert all(seen == list(range(1, len(seen) + 1)) for seen in by_instance.values()), by_instance
    assert len(by_instance) == case.instances


def test_a_signal_handler_may_fork_within_any_line(environ: dict[str, str], sqs: SQSClient, queue_url: str) -> None:
    found = sent(IN_A_SIGNAL_HANDLER, environ, sqs, queue_url)
    seen = Counter(heads(found))
    [after] = [name for name in seen if name.startswith("after")]
    assert seen == Counter({"parent": 12, "child": int(after.split()[1]), after: 1})
    assert len({(span["traceId"], span["spanId"]) for spans in found for span in spans}) == sum(map(len, found))


def test_what_a_child_traces_after_a_shutdown_is_logged(
    environ: dict[str, str], sqs: SQSClient, queue_url: str
) -> None:
    with start(AFTER_A_SHUTDOWN, environ) as process:
        said, _ = process.communicate(timeout=DEADLINE_SECONDS)
    [message] = spilled.from_log(said.splitlines())
    assert "too late" in message.body
    assert heads(queued(sqs, queue_url)) == ["before"]


def test_what_waited_at_the_fork_is_sent_by_the_parent(
    environ: dict[str, str], sqs: SQSClient, queue_url: str, moto_url: str
) -> None:
    waiting = """
for number in range(30):
    trace(f"waited {number}")
wait(fork(lambda: None), fork(lambda: None))
"""
    with held_sqs(moto_url) as held, start(waiting, environ | held.environ) as process:
        assert held.arrived.wait(DEADLINE_SECONDS)
        held.release()
        said, _ = process.communicate(timeout=DEADLINE_SECONDS)
    assert (process.returncode, said) == (0, "")
    assert Counter(heads(queued(sqs, queue_url))) == Counter(f"waited {number}" for number in range(30))


def test_a_fork_leaves_its_requests_root_to_the_parent(environ: dict[str, str], sqs: SQSClient, queue_url: str) -> None:
    found = sent(WITHIN_A_REQUEST, environ, sqs, queue_url)
    own, childs = sorted(({span["name"]: span for span in spans} for spans in found), key=len)[::-1]
    assert own.keys() == {"parent's step", "parent's second step", "of the SDK", "root"}
    assert childs.keys() == {"child's of the SDK", "child's step"}
    spans = [*own.values(), *childs.values()]
    assert len({span["traceId"] for span in spans}) == 1
    assert len({span["spanId"] for span in spans}) == 6
    assert childs["child's step"]["parentSpanId"] == own["of the SDK"]["spanId"]
    assert attributes_of(childs["child's step"])["offpath.experiment"] == {"stringValue": "own"}
