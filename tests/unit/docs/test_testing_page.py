"""The code on the page about tests runs as it stands there."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from local.sources import ROOT

PAGE = (ROOT / "docs" / "testing.md").read_text()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The page's files."""
    for name, code in re.findall(r"^```python\n# (\S+\.py)\n(.*?)^```", PAGE, flags=re.MULTILINE | re.DOTALL):
        (tmp_path / name).write_text(code)
    return tmp_path


def run(folder: Path, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run Python in the folder, with the layer on its path."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("OFFPATH_", "PYTEST_"))}
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env={**clean, "PYTHONPATH": str(ROOT / "layers" / "shared"), **environ},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_pages_tests_pass(folder: Path) -> None:
    done = run(folder, "-m", "pytest", "-q", "-p", "no:cacheprovider")
    assert done.returncode == 0, done.stdout
    assert "3 passed" in done.stdout


def test_the_pages_handler_is_composed_from_the_environment(folder: Path) -> None:
    environ = {"OFFPATH_QUEUE_URL": "https://sqs.eu-west-1.amazonaws.com/1/traces", "OFFPATH_BUCKET": "archive"}
    done = run(folder, "-c", "import app; print(app.handler.__name__)", AWS_DEFAULT_REGION="eu-west-1", **environ)
    assert done.stdout.strip() == "handler", done.stderr


def test_every_block_of_python_names_its_file() -> None:
    assert PAGE.count("```python\n") == len(re.findall(r"^```python\n# \S+\.py\n", PAGE, flags=re.MULTILINE)) == 4
