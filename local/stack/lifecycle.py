"""The stack as a whole: in which order it starts and stops, and what is done in between."""

import time

from local.stack.first_trace import Sample, has_models, predict, sample, served_model, trace_link
from local.stack.parts import Parts
from local.stack.screen import Terminal
from local.stack.signals import Interrupts
from local.stack.storage import Storage
from local.stack.supervisor import Supervisor
from offpath.contracts.errors import Transient

# Much longer than it takes: a busy machine gets there, too.
SERVED_SECONDS = TRACE_SECONDS = 120.0


class Stack:
    """The local stack. Every part is a process of the supervisor's; queues and buckets are the storage's affair."""

    def __init__(self, parts: Parts, supervisor: Supervisor, storage: Storage, screen: Terminal) -> None:
        self._parts = parts
        self._settings = parts.settings
        self._supervisor = supervisor
        self._storage = storage
        self._screen = screen

    def start(self) -> None:
        """Start every part, each as soon as what it needs is there. Raises PartFailed, Interrupted or Transient."""
        training = not self._parts.home.database.exists()
        self._supervisor.start(self._parts.s3(), self._parts.sqs(), self._parts.mlflow())
        if training:  # it has much to do before it needs MLflow
            self._supervisor.start(self._parts.train())
        self._wait("s3", "sqs")
        self._storage.create()
        self._supervisor.start(self._parts.api())
        self._wait("mlflow")
        self._supervisor.start(self._parts.writer(), self._parts.sync(), self._parts.worker())
        if not training and not has_models(self._settings):  # an earlier first start was cut short
            training = True
            self._supervisor.start(self._parts.train())
        self._wait("api", "writer", "sync", "worker", *(["train"] if training else []))

    def try_out(self) -> tuple[Sample, str | None] | None:
        """Send one prediction and wait for its trace: what was sent, and the page of the trace if it arrived."""
        try:
            return self._try_out()
        except Transient as error:
            self._screen.trouble(f"the first prediction failed: {error}")
            return None

    def _try_out(self) -> tuple[Sample, str | None] | None:
        until = self._supervisor.wait_until
        if not until(lambda: served_model(self._settings) is not None, "the first model", SERVED_SECONDS):
            self._screen.trouble(f"no model is served yet: {self._settings.api_url}/health and sync's log tell more")
            return None
        given = sample(self._settings, served_model(self._settings) or "")
        trace_id = predict(self._settings, given)
        if not until(lambda: trace_link(self._settings, trace_id) is not None, f"trace {trace_id}", TRACE_SECONDS):
            self._screen.trouble(f"the trace {trace_id} is not in MLflow yet: see writer's log")
        return given, trace_link(self._settings, trace_id)

    def run(self) -> None:
        """Keep it running. Raises Interrupted, or PartFailed."""
        self._supervisor.watch()

    def stop(self, interrupts: Interrupts) -> None:
        """Stop in the order of the data's way, so that nothing is on the way when its next stop has gone."""
        self._supervisor.stop("api")
        self._supervisor.stop("writer", "worker")
        if self._supervisor.runs("sqs") and self._supervisor.runs("s3"):
            self._save(interrupts)
        self._supervisor.stop("sync", "train", "mlflow")
        self._supervisor.stop("sqs")
        self._supervisor.stop_all()

    def _wait(self, *names: str) -> None:
        self._supervisor.wait_ready(*names, seconds=self._settings.start_seconds)

    def _save(self, interrupts: Interrupts) -> None:
        asked = interrupts.count
        deadline = time.monotonic() + self._settings.visibility_seconds
        self._storage.save(lambda: interrupts.count > asked or time.monotonic() > deadline)
