"""Become the training worker, with the proxy's address: `python -m local.deployed.machines.train_plain`."""

import os
import sys

from offpath_host.secrets import login, secret_reader
from offpath_host.settings import HostSettings
from offpath_host.train import environment


def main() -> None:
    """Become the worker: it does not return. Raises what is wrong."""
    settings = HostSettings.load(os.environ)
    trainer = login(secret_reader(settings.region), settings.trainer_secret)
    given = environment(settings, trainer) | {"MLFLOW_TRACKING_URI": os.environ["OFFPATH_TUNNEL_URL"]}
    command = [sys.executable, "-m", "training.worker"]
    os.execve(command[0], command, os.environ | given)  # noqa: S606


if __name__ == "__main__":
    main()
