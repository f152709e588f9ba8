"""Services that take a while to start."""

from collections.abc import Iterator

import pytest

from local.testbed.servers import mlflow_server, postgres


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
