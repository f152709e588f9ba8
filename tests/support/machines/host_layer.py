"""The files of MLflow's machine, as they reach it."""

import subprocess
from pathlib import Path

from local.sources import ROOT

SOURCE = ROOT / "layers" / "mlflow_host"
SAM_PYTHON = ROOT / ".venv-sam" / "bin" / "python"


def pack(target: Path) -> Path:
    """Write the zip file that `sam deploy` uploads; links in the folder are followed there."""
    command = [SAM_PYTHON, Path(__file__).with_name("pack_layer.py"), SOURCE, target]
    subprocess.run(list(map(str, command)), check=True)
    return target
