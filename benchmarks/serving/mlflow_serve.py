"""`mlflow models serve`, as MLflow's documentation starts it."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from benchmarks.services import await_answer, running
from local.ports import free_port

MEGABYTE = 1e6


@contextmanager
def mlflow_models_serve(model: Path, log: Path) -> Iterator[tuple[str, int]]:
    """A scoring server with one worker: its address and its process id."""
    url = f"http://127.0.0.1:{(port := free_port())}"
    command = [sys.executable, "-m", "mlflow", "models", "serve", "--model-uri", str(model), "--env-manager", "local"]
    command += ["--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    # It starts uvicorn by its name, from the environment that this one runs in.
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    with running(command, log, {"PATH": path}) as process:
        await_answer(f"{url}/ping", process, log)
        yield url, process.pid


def resident_mb(process_id: int) -> float:
    """The memory of a process and of those below it, without what they share."""
    root = psutil.Process(process_id)
    return sum(each.memory_full_info().uss for each in [root, *root.children(recursive=True)]) / MEGABYTE
