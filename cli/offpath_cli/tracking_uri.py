"""The option that every command has which speaks to MLflow."""

import os
from typing import Annotated

import typer

TrackingUri = Annotated[
    str,
    typer.Option(
        "--tracking-uri",
        envvar="MLFLOW_TRACKING_URI",
        default_factory=lambda: f"http://127.0.0.1:{os.environ.get('OFFPATH_MLFLOW_PORT') or 5000}",
        show_default="the local stack's, by OFFPATH_MLFLOW_PORT",
        help="Address of the MLflow server.",
    ),
]
