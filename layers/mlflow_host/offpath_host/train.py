"""Read the training worker's login at MLflow, and become that worker: `python -m offpath_host.train`.

The password stays in this process's environment, and in those of the trainings.
"""

import os
import sys

from offpath_host.secrets import Login, login, secret_reader
from offpath_host.settings import HostSettings

# The proxy's address for this machine. Tunnels end there, too: by one, the links in a job's result can be opened.
MLFLOW_URL = "http://localhost:5000"


def main() -> None:
    """Become the worker: it does not return. Raises what is wrong; systemd starts it again."""
    settings = HostSettings.load(os.environ)
    trainer = login(secret_reader(settings.region), settings.trainer_secret)
    command = [sys.executable, "-m", "training.worker"]
    os.execve(command[0], command, os.environ | environment(settings, trainer))  # noqa: S606


def environment(settings: HostSettings, trainer: Login) -> dict[str, str]:
    """Return the worker's variables beside the machine's settings; other users of the machine cannot read them."""
    return {
        "OFFPATH_TRAINING_PAGES_URL": f"https://{settings.domain}" if settings.domain else "",
        "AWS_DEFAULT_REGION": settings.region,
        "MLFLOW_TRACKING_URI": MLFLOW_URL,
        "MLFLOW_TRACKING_USERNAME": trainer.username,
        "MLFLOW_TRACKING_PASSWORD": trainer.password,
    }


if __name__ == "__main__":
    main()
