"""Make environments for what talks to the emulator: without the user's own cloud account, which is never asked."""

import os
from collections.abc import Mapping

from local.deployed.home import Deployment
from local.deployed.settings import ACCOUNT, REGION, SECRET_KEY

# What AWS's SDKs, MLflow and this project would read of the user's.
FOREIGN = ("AWS_", "MLFLOW_", "OFFPATH_", "SAM_CLI_")


def own(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment without variables that lead to an account or a server of the user's."""
    return {name: value for name, value in environ.items() if not name.startswith(FOREIGN)}


def client_environment(environ: Mapping[str, str], deployment: Deployment) -> dict[str, str]:
    """Return the environment of whoever deploys."""
    return endpoint_environment(environ, deployment) | {
        "AWS_ACCESS_KEY_ID": ACCOUNT,
        "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
    }


def endpoint_environment(environ: Mapping[str, str], deployment: Deployment) -> dict[str, str]:
    """Return an environment in which AWS is the emulator, without credentials."""
    hosts = ",".join(filter(None, (environ.get("NO_PROXY"), deployment.gateway, "127.0.0.1", "localhost")))
    return own(environ) | {
        "AWS_ENDPOINT_URL": deployment.endpoint,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_REGION": REGION,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "SAM_CLI_TELEMETRY": "0",
        "NO_PROXY": hosts,
        "no_proxy": hosts,
    }
