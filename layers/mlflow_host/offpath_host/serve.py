"""Read secrets, upgrade the database, provide the users, and become the server: `python -m offpath_host.serve`.

The secrets stay in this process's environment and in a file below systemd's runtime directory, which is memory.
"""

import os
import sys
from pathlib import Path

from offpath_host.database import database_url, upgrade
from offpath_host.secrets import login, secret_reader
from offpath_host.server import auth_config, command, environment
from offpath_host.settings import HostSettings
from offpath_host.users import Users, provide


def main() -> None:
    """Become the server: it does not return. Raises what is wrong; systemd starts it again."""
    settings = HostSettings.load(os.environ)
    read = secret_reader(settings.region)
    _say("reading the secrets")
    url = database_url(settings, login(read, settings.database_secret))
    users = Users(
        admin=login(read, settings.admin_secret),
        writer=login(read, settings.writer_secret),
        model_sync=login(read, settings.model_sync_secret),
        trainer=login(read, settings.trainer_secret),
    )
    _say("upgrading the database, if this MLflow is newer than it")
    upgrade(url)
    _say("providing the users")
    provide(url, users)
    _say("starting the server")
    runtime = Path(os.environ["RUNTIME_DIRECTORY"])
    line = command(settings, runtime)
    os.execve(line[0], line, os.environ | environment(settings, url, _auth_file(runtime, url)))  # noqa: S606


def _auth_file(runtime: Path, url: str) -> Path:
    path = runtime / "auth.ini"
    path.touch(mode=0o600)
    path.write_text(auth_config(url), encoding="utf-8")
    return path


def _say(text: str) -> None:
    print(f"offpath: {text}", file=sys.stderr, flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
