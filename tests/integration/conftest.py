"""Services that take a while to start."""

import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.testbed.servers import mlflow_server, postgres, sqlite
from tests.support.sdk_package import UV

NEXT_MLFLOW = "3.18.0"


@pytest.fixture(scope="session")
def postgres_uri(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The SQLAlchemy URI of a real PostgreSQL's database, which is empty."""
    with postgres(tmp_path_factory.mktemp("postgres")) as uri:
        yield uri


@pytest.fixture(scope="session")
def mlflow_postgres_url(postgres_uri: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a real MLflow server over PostgreSQL."""
    with mlflow_server(postgres_uri, tmp_path_factory.mktemp("mlflow-postgres")) as url:
        yield url


@pytest.fixture(scope="session")
def mlflow_next_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a real MLflow server of the version after the pinned one, over SQLite.

    It is that version's wheel over the pinned one's dependencies: its companions are not there yet.
    """
    folder = tmp_path_factory.mktemp("mlflow-next")
    code = folder / "code"
    command: list[str | Path] = [
        UV,
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--python",
        sys.executable,
        "--target",
        code,
    ]
    found = subprocess.run([*command, f"mlflow=={NEXT_MLFLOW}"], capture_output=True, text=True, check=False)
    if found.returncode:
        pytest.skip(f"MLflow {NEXT_MLFLOW} cannot be fetched: {found.stderr}")
    with sqlite(folder) as database, mlflow_server(database, folder, code) as url:
        with urllib.request.urlopen(f"{url}/version") as answer:
            assert answer.read().decode() == NEXT_MLFLOW
        yield url
