"""What a command that talks to MLflow takes from the environment, and sets there."""

import os

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
    """Let mlflow, once it is imported, say little and give up soon, where the environment does not say otherwise."""
    for name, value in _MLFLOW.items():
        os.environ.setdefault(name, value)


def default_tracking_uri() -> str:
    """The address of the local stack's MLflow."""
    return f"http://127.0.0.1:{os.environ.get('OFFPATH_MLFLOW_PORT') or 5000}"
