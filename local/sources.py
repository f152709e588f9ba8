"""Where the repository's own packages lie."""

import importlib.util
import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# As pyproject.toml gives them to pytest and mypy.
SOURCES = ("functions/api", "functions/trace_writer", "functions/model_sync", "layers/shared", ".")


def ensure_importable() -> None:
    """Start this command over with those folders on PYTHONPATH, unless they are already."""
    if importlib.util.find_spec("offpath") is None:
        path = os.pathsep.join(str(ROOT / source) for source in SOURCES)
        os.execve(  # noqa: S606  (no shell is wanted)
            sys.executable, [sys.executable, "-m", "local", *sys.argv[1:]], os.environ | {"PYTHONPATH": path}
        )
