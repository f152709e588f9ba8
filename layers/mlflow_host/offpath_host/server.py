"""Make MLflow's command line and environment on this machine."""

import secrets
import sys
from pathlib import Path

from offpath_host.settings import HostSettings

# The server's socket in systemd's runtime directory. It has no port: MLflow lets whoever connects from 127.0.0.1 run
# commands by its assistant, and tunnels end there. Without an address nobody is local.
SOCKET = "mlflow.sock"
# How long a password that was checked is taken without checking it again, which costs 90 ms; and so how long a revoked
# one goes on working.
PASSWORD_CACHE_SECONDS = 60


def command(settings: HostSettings, runtime: Path) -> list[str]:
    """Return the server's command, on a socket in the runtime directory, with users. It holds no secret."""
    return [
        *(sys.executable, "-m", "mlflow", "server", "--workers", str(settings.workers)),
        *("--app-name", "basic-auth", "--artifacts-destination", settings.artifacts),
        # The proxy keeps a log of requests.
        *("--uvicorn-opts", f"--uds {runtime / SOCKET} --no-access-log"),
    ]


def environment(settings: HostSettings, database_url: str, auth_file: Path) -> dict[str, str]:
    """Return MLflow's variables beside its command line; other users of the machine cannot read them."""
    local = ["127.0.0.1", "localhost"]
    hosts = [*settings.names, *local]
    return {
        "MLFLOW_BACKEND_STORE_URI": database_url,
        "MLFLOW_AUTH_CONFIG_PATH": str(auth_file),
        # The key signs forms, for as long as the server runs.
        "MLFLOW_FLASK_SERVER_SECRET_KEY": secrets.token_urlsafe(32),
        "MLFLOW_SERVER_ALLOWED_HOSTS": ",".join(f"{host},{host}:*" for host in hosts),
        "MLFLOW_SERVER_CORS_ALLOWED_ORIGINS": ",".join(f"https://{name}" for name in settings.names),
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "AWS_DEFAULT_REGION": settings.region,
    }


def auth_config(database_url: str) -> str:
    """Return MLflow's basic_auth.ini, by which nobody may do what was not granted."""
    # configparser takes % for the start of a reference.
    lines = [
        "[mlflow]",
        "default_permission = NO_PERMISSIONS",
        f"database_uri = {database_url.replace('%', '%%')}",
        "admin_username = admin",
        f"auth_cache_ttl_seconds = {PASSWORD_CACHE_SECONDS}",
    ]
    return "\n".join(lines) + "\n"
