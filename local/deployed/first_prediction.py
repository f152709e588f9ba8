"""Train the first model, predict, and find the trace: what docs/deploy.md lets one do after a deployment."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from urllib3.exceptions import HTTPError

from local.deployed.api import Api
from local.deployed.environment import endpoint_environment
from local.deployed.mlflow import Mlflow
from local.deployed.stack import DeployedStack
from local.errors import ServiceFailed
from local.settings import FIRST_MODEL
from local.sources import ROOT
from local.stack.first_prediction import IRIS
from local.stack.signals import Interrupts
from offpath.retry import attempts, every

PREDICT = f"/models/{FIRST_MODEL}/predict"
BODY = {"inputs": [IRIS]}
# The schedule of the model sync has a period of one minute; a busy machine takes longer for all of it.
SECONDS = 120.0
PAUSE_SECONDS = 0.5
T = TypeVar("T")


def train(stack: DeployedStack, mlflow: Mlflow, log: Path) -> None:
    """Train and register the first model, as `make train` does. Raises ServiceFailed."""
    environ = endpoint_environment(os.environ, stack.deployment) | {
        "MLFLOW_TRACKING_USERNAME": mlflow.username,
        "MLFLOW_TRACKING_PASSWORD": mlflow.password,
    }
    command = [sys.executable, "-m", "training", FIRST_MODEL, "--tracking-uri", mlflow.url]
    with log.open("wb") as sink:
        done = subprocess.run(command, env=environ, cwd=ROOT, stdout=sink, stderr=subprocess.STDOUT, check=False)
    if done.returncode:
        raise ServiceFailed("train", f"the training failed:\n{log.read_text(errors='replace')[-2000:]}")


def predict(api: Api, interrupts: Interrupts) -> str:
    """Return the trace id of a prediction, once the API has the model. Raises ServiceFailed or Interrupted."""
    said: list[str] = []

    def ask() -> str | None:
        try:
            answer = api.call("POST", PREDICT, BODY)
        except HTTPError as error:
            said[:] = [str(error)]
            return None
        said[:] = [f"{answer.status} {answer.data.decode(errors='replace')}"]
        return str(answer.json()["trace_id"]) if answer.status == 200 else None

    return _await(ask, interrupts, lambda: f"the API does not serve {FIRST_MODEL}: {said}")


def await_link(mlflow: Mlflow, trace_id: str, interrupts: Interrupts) -> str:
    """Return the address of the trace's page, once it is there. Raises ServiceFailed or Interrupted."""
    return _await(lambda: mlflow.link(trace_id), interrupts, lambda: f"the trace {trace_id} is not in MLflow")


def _await(look: Callable[[], T | None], interrupts: Interrupts, otherwise: Callable[[], str]) -> T:
    for _ in attempts(every(PAUSE_SECONDS, budget_seconds=SECONDS)):
        interrupts.check()
        if found := look():
            return found
    raise ServiceFailed("first prediction", otherwise())
