"""Test MLflow's command line, environment and users' file."""

import configparser
from pathlib import Path

from offpath_host.server import auth_config, command, environment
from offpath_host.settings import HostSettings
from tests.support.machines.mlflow_host_settings import ENVIRON

URL = "postgresql+psycopg2://offpath:p%40ss@db:5432/mlflow"
RUNTIME = Path("/run/mlflow")
SETTINGS = HostSettings.load(ENVIRON | {"OFFPATH_DOMAIN": "mlflow.example.com"})


def test_the_server_listens_on_a_socket_with_users() -> None:
    line = command(SETTINGS, RUNTIME)
    assert "--uds /run/mlflow/mlflow.sock" in line[line.index("--uvicorn-opts") + 1]
    assert "--host" not in line
    assert line[line.index("--app-name") + 1] == "basic-auth"
    assert line[line.index("--artifacts-destination") + 1] == "s3://artifacts/mlflow"


def test_no_secret_is_on_the_command_line() -> None:
    assert "p%40ss" not in " ".join(command(SETTINGS, RUNTIME))


def test_only_its_own_names_are_answered(tmp_path: Path) -> None:
    told = environment(SETTINGS, URL, tmp_path)
    assert told["MLFLOW_SERVER_ALLOWED_HOSTS"].split(",")[::2] == [
        "ip-10-20-0-10.ec2.internal",
        "mlflow.example.com",
        "127.0.0.1",
        "localhost",
    ]
    assert told["MLFLOW_SERVER_CORS_ALLOWED_ORIGINS"] == "https://ip-10-20-0-10.ec2.internal,https://mlflow.example.com"
    assert told["MLFLOW_SERVER_ENABLE_JOB_EXECUTION"] == "false"


def test_each_start_signs_forms_with_another_key(tmp_path: Path) -> None:
    keys = {environment(SETTINGS, URL, tmp_path)["MLFLOW_FLASK_SERVER_SECRET_KEY"] for _ in range(2)}
    assert len(keys) == 2


def test_nobody_may_do_what_was_not_granted() -> None:
    config = configparser.ConfigParser()
    config.read_string(auth_config(URL))
    assert config["mlflow"]["default_permission"] == "NO_PERMISSIONS"
    assert config["mlflow"]["database_uri"] == URL
