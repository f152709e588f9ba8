"""The MLflow server that a command talks to: its address, its environment variables, and whether it answers.

The server is asked within seconds, where MLflow's own client would try for minutes.
"""

import os

import urllib3
from urllib3.exceptions import HTTPError

from offpath.retry import attempts, every
from training.recipe import TrainingError

ASK_SECONDS = 3.0
PAUSE_SECONDS = 0.25
# What mlflow reads from the environment. Its own defaults try a server that is gone for minutes.
_MLFLOW = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "30",
    "MLFLOW_LOGGING_LEVEL": "WARNING",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
}


def quiet_mlflow() -> None:
    """Let mlflow, once it is imported, log little and give up soon, where the environment does not say otherwise."""
    for name, value in _MLFLOW.items():
        os.environ.setdefault(name, value)


def default_tracking_uri() -> str:
    """Return the address of the local stack's MLflow."""
    return f"http://127.0.0.1:{os.environ.get('OFFPATH_MLFLOW_PORT') or 5000}"


def checked_address(tracking_uri: str) -> str:
    """Return the address without a slash at its end. Raises TrainingError for one that is not http(s)."""
    if not tracking_uri.startswith(("http://", "https://")):
        raise TrainingError(f"tracking URI {tracking_uri!r}: expected the http(s)://host:port of an MLflow server")
    return tracking_uri.rstrip("/")


def wait_for(tracking_uri: str, seconds: float) -> None:
    """Return once the server is healthy. Raises TrainingError if it is not within that time; at 0 it is asked once."""
    reason: str | None = None
    for _ in attempts(every(PAUSE_SECONDS, budget_seconds=seconds)):
        reason = _unhealthy(tracking_uri)
        if reason is None:
            return
    raise TrainingError(
        f"no MLflow server answers at {tracking_uri} ({reason}): start one with `make up`, or name another with "
        "--tracking-uri or MLFLOW_TRACKING_URI"
    )


def _unhealthy(tracking_uri: str) -> str | None:
    """Return why the server is not healthy, or None if it is."""
    # The certificates that MLflow's own client goes by.
    trusted = os.environ.get("MLFLOW_TRACKING_SERVER_CERT_PATH")
    try:
        with urllib3.PoolManager(ca_certs=trusted, retries=False) as pool:
            answer = pool.request("GET", f"{tracking_uri}/health", timeout=ASK_SECONDS)
    except (HTTPError, OSError) as error:  # OSError: no such file
        return str(error)
    return None if answer.status == 200 else f"HTTP status {answer.status}"
