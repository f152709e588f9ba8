"""MLflow's scoring server for every model in a folder: `python -m tests.support.servers.scoring_server FOLDER PORT`.

Each is the application that `mlflow models serve` runs, below a path of the model's name.
"""

import sys
from pathlib import Path

import uvicorn
from fastapi import FastAPI
from mlflow.pyfunc import load_model
from mlflow.pyfunc.scoring_server import init


def main(folder: str, port: str) -> None:
    """Serve until the process is ended."""
    app = FastAPI()
    for path in sorted(Path(folder).iterdir()):
        app.mount(f"/{path.name}", init(load_model(str(path))))
    uvicorn.run(app, host="127.0.0.1", port=int(port), log_level="warning")


if __name__ == "__main__":
    main(*sys.argv[1:])
