"""MLflow's experiments, by name."""

import json
from collections.abc import Callable
from urllib.parse import urlencode

from offpath.contracts.errors import Rejected
from trace_writer.adapters.mlflow_api import EXISTS, MISSING, Call, MlflowApi
from trace_writer.tracker import ExperimentRefused, TrackerUnavailable

_PATH = "/api/2.0/mlflow/experiments"
_JSON = {"Content-Type": "application/json"}
# Spans sent to an experiment that was deleted meanwhile would go to the trash without a word.
_TRUSTED_SECONDS = 60.0
_STEPS = 4


class Experiments:
    """The ids of experiments, which are made at first use and taken out of the trash if they lie there."""

    def __init__(self, api: MlflowApi, now: Callable[[], float]) -> None:
        self._api = api
        self._now = now
        self._known: dict[str, tuple[str, float]] = {}

    def id_of(self, name: str, deadline: float) -> str:
        """The id of the active experiment of that name, by the deadline on the clock.

        Raises ExperimentRefused, TrackerUnavailable or Faulted.
        """
        known, since = self._known.get(name, ("", 0.0))
        if known and self._now() - since < _TRUSTED_SECONDS:
            return known
        try:
            found = self._resolve(name, deadline)
        except Rejected as error:
            raise ExperimentRefused(f"MLflow refuses the experiment {name!r}: {error}") from error
        self._known[name] = (found, self._now())
        return found

    def forget(self, name: str) -> None:
        """Look the experiment up again when it is next used."""
        self._known.pop(name, None)

    def _resolve(self, name: str, deadline: float) -> str:
        for _ in range(_STEPS):  # other writers may create, restore or delete it between two steps
            experiment_id, stage = self._find(name, deadline)
            if not experiment_id:
                self._post("create", {"name": name}, deadline)
            elif stage == "deleted":
                self._post("restore", {"experiment_id": experiment_id}, deadline)
            else:
                return experiment_id
        raise TrackerUnavailable(f"the experiment {name!r} is not available: something keeps creating and deleting it")

    def _find(self, name: str, deadline: float) -> tuple[str, str]:
        path = f"{_PATH}/get-by-name?{urlencode({'experiment_name': name})}"
        outcome = self._api.send(Call("GET", path), deadline)
        match outcome.fields:
            case {"experiment": {"experiment_id": str(experiment_id), "lifecycle_stage": str(stage)}}:
                return experiment_id, stage
        if outcome.error_code == MISSING:
            return "", ""
        raise TrackerUnavailable(
            f"no experiment in the answer {outcome.fields}: is OFFPATH_MLFLOW_URL an MLflow server?"
        )

    def _post(self, verb: str, fields: dict[str, str], deadline: float) -> None:
        harmless = {MISSING, EXISTS} if verb == "create" else {MISSING}
        call = Call("POST", f"{_PATH}/{verb}", _JSON, json.dumps(fields).encode(), harmless)
        self._api.send(call, deadline)
