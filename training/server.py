"""Whether there is an MLflow server to register with: found out in seconds, where its client would try for minutes."""

import os
import time

import urllib3
from urllib3.exceptions import HTTPError

from training.recipe import TrainingError

ASK_SECONDS = 3.0
PAUSE_SECONDS = 0.25


def checked_address(tracking_uri: str) -> str:
    """The address without a slash at its end. Raises TrainingError for one that is not http(s)."""
    if not tracking_uri.startswith(("http://", "https://")):
        raise TrainingError(f"tracking URI {tracking_uri!r}: expected the http(s)://host:port of an MLflow server")
    return tracking_uri.rstrip("/")


def wait_for(tracking_uri: str, seconds: float) -> None:
    """Return once the server is healthy. Raises TrainingError if it is not within that time; at 0 it is asked once."""
    deadline = time.monotonic() + seconds
    while (complaint := _complaint(tracking_uri)) and time.monotonic() < deadline:
        time.sleep(PAUSE_SECONDS)
    if complaint:
        raise TrainingError(
            f"no MLflow server answers at {tracking_uri} ({complaint}): start one with `make up`, or name another with "
            "--tracking-uri or MLFLOW_TRACKING_URI"
        )


def _complaint(tracking_uri: str) -> str | None:
    # The certificates that MLflow's own client goes by.
    trusted = os.environ.get("MLFLOW_TRACKING_SERVER_CERT_PATH")
    try:
        with urllib3.PoolManager(ca_certs=trusted, retries=False) as pool:
            answer = pool.request("GET", f"{tracking_uri}/health", timeout=ASK_SECONDS)
    except (HTTPError, OSError) as error:  # OSError: no such file
        return str(error)
    return None if answer.status == 200 else f"HTTP status {answer.status}"
