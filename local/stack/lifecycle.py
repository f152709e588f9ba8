"""Start and stop the stack as a whole, in the right order, and send the first prediction."""

from local.stack import seaweedfs
from local.stack.first_prediction import FirstRequest, has_models, predict, request_for, served_model, trace_link
from local.stack.screen import Screen
from local.stack.services import Services
from local.stack.storage import Storage
from local.stack.supervisor import Supervisor
from local.stack.web import fetch
from offpath.contracts.errors import Transient

# Much longer than it takes: a busy machine gets there, too.
SERVED_SECONDS = TRACE_SECONDS = 120.0


class Stack:
    """Run the local stack: the supervisor keeps each service's process, and the storage keeps queues and buckets."""

    def __init__(self, services: Services, supervisor: Supervisor, storage: Storage, screen: Screen) -> None:
        self._services = services
        self._settings = services.settings
        self._supervisor = supervisor
        self._storage = storage
        self._screen = screen

    def start(self) -> None:
        """Start every service as soon as what it needs is there. Raises ServiceFailed, Interrupted or Transient."""
        training = not self._services.home.database.exists()
        seaweedfs.write_identities(self._services.home.s3_identities)
        self._supervisor.start(self._services.s3(), self._services.sqs(), self._services.mlflow())
        if training:  # it has much to do before it needs MLflow
            self._supervisor.start(self._services.train())
        self._wait("s3", "sqs")
        fetch(f"{self._settings.sqs_url}/release", {})  # who had received messages is not there any more
        self._storage.create()
        self._supervisor.start(self._services.api())
        self._wait("mlflow")
        self._supervisor.start(self._services.writer(), self._services.sync(), self._services.worker())
        if not training and not has_models(self._settings):  # an earlier first start was cut short
            training = True
            self._supervisor.start(self._services.train())
        self._wait("api", "writer", "sync", "worker", *(["train"] if training else []))

    def send_first_prediction(self) -> tuple[FirstRequest, str | None] | None:
        """Send one prediction and wait for its trace.

        Returns the request and the address of the trace's page, or None for the page if the trace did not arrive; None
        if no prediction could be made.
        """
        try:
            return self._first_prediction()
        except Transient as error:
            self._screen.problem(f"the first prediction failed: {error}")
            return None

    def _first_prediction(self) -> tuple[FirstRequest, str | None] | None:
        wait_until = self._supervisor.wait_until
        if not wait_until(lambda: served_model(self._settings) is not None, "the first model", SERVED_SECONDS):
            self._screen.problem(f"no model is served yet: {self._settings.api_url}/health and sync's log tell more")
            return None
        request = request_for(self._settings, served_model(self._settings) or "")
        trace_id = predict(self._settings, request)
        if not wait_until(lambda: trace_link(self._settings, trace_id) is not None, f"trace {trace_id}", TRACE_SECONDS):
            self._screen.problem(f"the trace {trace_id} is not in MLflow yet: see writer's log")
        return request, trace_link(self._settings, trace_id)

    def run(self) -> None:
        """Keep the stack running. Raises Interrupted or ServiceFailed."""
        self._supervisor.watch()

    def stop(self) -> None:
        """Stop each service before the one that it sends data to, so that what is under way arrives."""
        self._supervisor.stop("api")
        self._supervisor.stop("writer", "worker")
        if self._supervisor.runs("sqs"):
            self._storage.tell_of_waiting()
        self._supervisor.stop("sync", "train", "mlflow")
        self._supervisor.stop("sqs")
        self._supervisor.stop_all()

    def _wait(self, *names: str) -> None:
        self._supervisor.wait_ready(*names, seconds=self._settings.start_seconds)
