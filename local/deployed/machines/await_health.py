"""Wait for MLflow."""

from pathlib import Path

from local.errors import ServiceFailed
from local.stack.process_file import ProcessFile
from local.stack.web import succeeds
from offpath.retry import attempts, every

START_SECONDS = 300.0
PAUSE_SECONDS = 0.2
SHOWN = 2_000


def await_health(url: str, processes: ProcessFile, log: Path) -> None:
    """Return once MLflow answers there. Raises ServiceFailed with the end of its log if it has ended, or does not."""
    for _ in attempts(every(PAUSE_SECONDS, budget_seconds=START_SECONDS)):
        if succeeds(f"{url}/health"):
            return
        if not processes.alive():
            break
    raise ServiceFailed("mlflow", f"MLflow does not answer at {url}:\n{log.read_text(errors='replace')[-SHOWN:]}")
