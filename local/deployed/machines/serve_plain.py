"""Become MLflow's server as the machine does, but over SQLite: `python -m local.deployed.machines.serve_plain`.

The modules of `offpath_host` are those of the deployed layer, which is first on Python's path.
"""

import os
from pathlib import Path

from offpath_host.database import upgrade
from offpath_host.secrets import login, secret_reader
from offpath_host.server import auth_config, command, environment
from offpath_host.settings import HostSettings
from offpath_host.users import Users, provide


def main() -> None:
    """Become the server: it does not return. Raises what is wrong."""
    settings = HostSettings.load(os.environ)
    read = secret_reader(settings.region)
    login(read, settings.database_secret)  # the machine may read it; there is no database to log in to
    users = Users(
        admin=login(read, settings.admin_secret),
        writer=login(read, settings.writer_secret),
        model_sync=login(read, settings.model_sync_secret),
        trainer=login(read, settings.trainer_secret),
    )
    runtime = Path(os.environ["RUNTIME_DIRECTORY"])
    url = f"sqlite:///{os.environ['STATE_DIRECTORY']}/mlflow.db"
    upgrade(url)
    provide(url, users)
    auth_file = runtime / "auth.ini"
    auth_file.touch(mode=0o600)
    auth_file.write_text(auth_config(url), encoding="utf-8")
    (runtime / "mlflow.sock").unlink(missing_ok=True)
    line = command(settings, runtime)
    os.execve(line[0], line, os.environ | environment(settings, url, auth_file))  # noqa: S606


if __name__ == "__main__":
    main()
