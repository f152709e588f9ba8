"""MLflow's OTLP endpoint."""

import gzip
from collections.abc import Callable

from offpath.mlflow.http import MlflowHttp
from trace_writer.adapters.mlflow_api import MISSING, Call, MlflowApi
from trace_writer.adapters.mlflow_experiments import Experiments
from trace_writer.adapters.otlp_answer import check_stored
from trace_writer.tracker import TrackerUnavailable

_PATH = "/v1/traces"
_ENCODED = {"Content-Type": "application/x-protobuf", "Content-Encoding": "gzip"}
# Level 1 makes a request of a hundred traces little larger than level 9 does, in a fraction of the time.
_GZIP_LEVEL = 1


class MlflowTracker:
    """Sends spans to an MLflow server, into experiments that it knows by name.

    now: a monotonic clock in seconds. timeout_seconds: the longest wait for an answer.
    """

    def __init__(self, http: MlflowHttp, now: Callable[[], float], timeout_seconds: float) -> None:
        self._now = now
        self._api = MlflowApi(http, now, timeout_seconds)
        self._experiments = Experiments(self._api, now)

    def log(self, experiment: str, payload: bytes, timeout_seconds: float) -> None:
        """Store all spans of a serialized OTLP request, or none, in the experiment of that name.

        timeout_seconds: for all requests that it takes, together.
        Raises Rejected, ExperimentRefused, TrackerUnavailable or Faulted.
        """
        deadline = self._now() + timeout_seconds
        body = gzip.compress(payload, _GZIP_LEVEL, mtime=0)
        if self._stored(experiment, body, deadline):
            return
        self._experiments.forget(experiment)
        if not self._stored(experiment, body, deadline):
            self._experiments.forget(experiment)
            raise TrackerUnavailable(
                f"MLflow names an experiment {experiment!r}, but says it is gone when spans come for it"
            )

    def _stored(self, experiment: str, body: bytes, deadline: float) -> bool:
        experiment_id = self._experiments.id_of(experiment, deadline)
        headers = {**_ENCODED, "x-mlflow-experiment-id": experiment_id}
        outcome = self._api.send(Call("POST", _PATH, headers, body), deadline)
        if outcome.error_code == MISSING:
            return False
        check_stored(outcome.answer)
        return True
