"""Make the environment that the services run in: this machine's, without the user's own cloud account."""

import os
import sysconfig
from collections.abc import Mapping
from pathlib import Path

from local.settings import ACCESS_KEY, ARCHIVE, DEAD_LETTERS, HOST, REGION, SECRET_KEY, TRAINING, LocalSettings
from offpath.settings import variable

# What a user's own variable overrides. Pages on this machine may call the API.
DEFAULTS = {"OFFPATH_CORS_ORIGINS": "http://localhost:*,http://127.0.0.1:*"}


def service_environment(environ: Mapping[str, str], settings: LocalSettings) -> dict[str, str]:
    """Return the variables that every service gets, made from the user's environment."""
    kept = {name: value for name, value in environ.items() if not name.startswith(("AWS_", "MLFLOW_", "OFFPATH_"))}
    own = {name: value for name, value in environ.items() if name.startswith("OFFPATH_")}
    return kept | DEFAULTS | own | _aws(settings) | _offpath(settings) | _python(environ)


def program(name: str) -> str:
    """Return the path of a program that a Python package installed."""
    return str(Path(sysconfig.get_path("scripts")) / name)


def _aws(settings: LocalSettings) -> dict[str, str]:
    return {
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_REGION": REGION,
        "AWS_ENDPOINT_URL_SQS": settings.sqs_url,
        "AWS_ENDPOINT_URL_S3": settings.s3_url,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def _offpath(settings: LocalSettings) -> dict[str, str]:
    fields = (
        "batch_size",
        "batch_window_seconds",
        "writer_timeout_seconds",
        "drain_seconds",
        "sync_seconds",
        "sweep_seconds",
    )
    given = {
        variable(name): str(getattr(settings, name)) for name in (*fields, "max_receives", "model_refresh_seconds")
    }
    names = {
        "OFFPATH_BUCKET": ARCHIVE,
        "OFFPATH_QUEUE_URL": settings.queue_url,
        "OFFPATH_DEAD_LETTER_URL": settings.url_of(DEAD_LETTERS),
        "OFFPATH_MLFLOW_URL": settings.mlflow_url,
        "OFFPATH_TRAINING_QUEUE_URL": settings.url_of(TRAINING),
    }
    return given | names


def _python(environ: Mapping[str, str]) -> dict[str, str]:
    local = f"{HOST},localhost"
    return {
        "PYTHONUNBUFFERED": "1",
        "NO_PROXY": ",".join(filter(None, (environ.get("NO_PROXY"), local))),
        "no_proxy": ",".join(filter(None, (environ.get("no_proxy"), local))),
    }
