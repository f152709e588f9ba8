"""Each workaround around the emulator is still needed, and helps."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from local.deployed.emulator import PYTHON
from local.sources import ROOT

NAMES = [path.stem for path in sorted((ROOT / "local" / "emulator" / "workarounds").glob("[!_]*.py"))]

pytestmark = pytest.mark.skipif(not PYTHON.exists(), reason="the emulator is not installed: make .venv-emulator/.ready")


@pytest.fixture(scope="module")
def needed(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What the emulator's package does otherwise than AWS: before the workarounds are installed, and after."""
    environ = {**os.environ, "TMPDIR": str(tmp_path_factory.mktemp("emulator"))}
    command = [str(PYTHON), "-m", "local.emulator", "needed"]
    done = subprocess.run(command, env=environ, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_every_module_is_a_workaround_that_is_installed(needed: Any) -> None:
    assert sorted(needed["before"]) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_emulator_needs_the_workaround(needed: Any, name: str) -> None:
    assert needed["before"][name], f"remove local/emulator/workarounds/{name}.py: the emulator does without it now"


@pytest.mark.parametrize("name", NAMES)
def test_workaround_makes_the_emulator_do_as_aws(needed: Any, name: str) -> None:
    assert not needed["after"][name]


def test_emulator_imports_nothing_of_the_project_but_itself() -> None:
    sources: list[Path] = sorted((ROOT / "local" / "emulator").rglob("*.py"))
    imports = [
        line for path in sources for line in path.read_text().splitlines() if line.startswith(("from ", "import "))
    ]
    own = [line for line in imports if line.split()[1].split(".")[0] in {"local", "offpath"}]
    assert own
    assert [line for line in own if not line.startswith("from local.emulator")] == []
