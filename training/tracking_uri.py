"""The option of every command that talks to MLflow. The module is its own, as MLflow's machine has no Typer."""

from typing import Annotated

import typer

from training.registry.mlflow_server import default_tracking_uri

TrackingUri = Annotated[
    str,
    typer.Option(
        "--tracking-uri",
        envvar="MLFLOW_TRACKING_URI",
        default_factory=default_tracking_uri,
        show_default="the local stack's, by OFFPATH_MLFLOW_PORT",
        help="Address of the MLflow server.",
    ),
]
