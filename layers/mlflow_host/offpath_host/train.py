"""`python -m offpath_host.train`: reads the training worker's login at MLflow, and becomes that worker.

The password stays in this process's environment, and in those of the trainings.
"""

import os
import sys

import boto3

from offpath_host.secrets import Login, login
from offpath_host.settings import HostSettings

# The proxy's entrance for this machine. Tunnels end there, too: who comes by one finds what a job's result links to.
MLFLOW_URL = "http://localhost:5000"


def main() -> None:
    """Does not return: the process becomes the worker. Raises what is wrong; systemd starts it again."""
    settings = HostSettings.load(os.environ)
    client = boto3.client("secretsmanager", region_name=settings.region)

    def read(secret: str) -> str:
        return client.get_secret_value(SecretId=secret).get("SecretString", "")

    told = environment(settings, login(read, settings.trainer_secret))
    words = [sys.executable, "-m", "training.worker"]
    os.execve(words[0], words, os.environ | told)  # noqa: S606


def environment(settings: HostSettings, trainer: Login) -> dict[str, str]:
    """What the worker is told beside the machine's settings; other users of the machine cannot read it."""
    return {
        "OFFPATH_TRAINING_PAGES_URL": f"https://{settings.domain}" if settings.domain else "",
        "AWS_DEFAULT_REGION": settings.region,
        "MLFLOW_TRACKING_URI": MLFLOW_URL,
        "MLFLOW_TRACKING_USERNAME": trainer.username,
        "MLFLOW_TRACKING_PASSWORD": trainer.password,
    }


if __name__ == "__main__":
    main()
