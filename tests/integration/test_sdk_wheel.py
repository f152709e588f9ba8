"""The SDK's wheel in a clean environment: it imports, its types are seen, and a trace arrives on a queue."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import offpath
from local.built.sdk_wheel import SOURCE, build
from tests.support.sdk_package import UV, environment, metadata

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

# Every module, whether or not it is public: each is imported by one that is.
IMPORT_ALL = """
import importlib, pkgutil, offpath
for module in pkgutil.walk_packages(offpath.__path__, "offpath."):
    print(importlib.import_module(module.name).__file__)
"""
TRACE = """
import os
from collections.abc import Mapping

import offpath
from offpath.testing import InMemoryQueue

tracing = offpath.install(os.environ, service_name="clean")


@offpath.traced(capture_inputs=True)
def predict(order: Mapping[str, int]) -> bool:
    return order["items"] > 3


print(predict({"items": 1}), offpath.__version__, InMemoryQueue.__name__, tracing.shutdown())
"""
MISTAKES = """
import offpath

offpath.install("not a mapping", service_name="clean")
offpath.Tracing().no_such_method()
"""

[README_EXAMPLE] = re.findall(r"```python\n(.*?)```", (SOURCE / "README.md").read_text(), flags=re.DOTALL)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(UV, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module", params=["highest", "lowest-direct"])
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Path:
    """A clean environment's Python: the wheel with the newest of what it declares, or the oldest, its extra's, too."""
    folder = tmp_path_factory.mktemp("clean") / "venv"
    packages: list[str | Path] = [wheel]
    if request.param == "lowest-direct":  # uv takes the oldest versions only of what it is asked for itself
        packages += [line.partition(";")[0] for line in metadata(wheel).get_all("Requires-Dist", [])]
    return environment(folder, sys.executable, packages, "--resolution", request.param)


def run_in(python: Path, code: str, environ: dict[str, str]) -> list[str]:
    """The lines that some code prints, isolated from this checkout."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    command = [str(python), "-I", "-c", code]
    done = subprocess.run(command, env=inherited | environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def type_checked(python: Path, code: str, folder: Path) -> str:
    """Return mypy's findings in a file of somebody who has installed the wheel."""
    (folder / "code.py").write_text(code)
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file=", "--cache-dir", str(folder / "cache")]
    command += ["--python-executable", str(python), "code.py"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False).stdout


def test_every_module_can_be_imported(python: Path) -> None:
    files = run_in(python, IMPORT_ALL, {})
    assert len(files) > 40
    assert all(str(python.parents[1]) in file for file in files)


def test_trace_arrives_on_the_queue(python: Path, aws_endpoint: str, sqs: SQSClient, queue_url: str) -> None:
    environ = {"OFFPATH_QUEUE_URL": queue_url, "OFFPATH_BUCKET": "unused", "OFFPATH_PUBLISH_BUDGET_SECONDS": "60"}
    assert run_in(python, TRACE, environ) == [f"False {offpath.__version__} InMemoryQueue True"]
    [message] = sqs.receive_message(QueueUrl=queue_url, MessageAttributeNames=["All"])["Messages"]
    assert '{\\"order\\": {\\"items\\": 1}}' in message["Body"]


def test_example_of_the_packages_readme_traces(python: Path, aws_endpoint: str, sqs: SQSClient, queue_url: str) -> None:
    environ = {"OFFPATH_QUEUE_URL": queue_url, "OFFPATH_BUCKET": "unused", "OFFPATH_PUBLISH_BUDGET_SECONDS": "60"}
    call = "print(handler({'items': 1}, None), tracing.shutdown())"
    assert run_in(python, f"{README_EXAMPLE}\n{call}", environ) == ["{'fraud': False} True"]
    [message] = sqs.receive_message(QueueUrl=queue_url)["Messages"]
    assert '{\\"order\\": {\\"items\\": 1}}' in message["Body"]


def test_type_checker_takes_code_that_is_right(python: Path, tmp_path: Path) -> None:
    assert "no issues found" in type_checked(python, TRACE, tmp_path)


def test_type_checker_finds_mistakes(python: Path, tmp_path: Path) -> None:
    found = type_checked(python, MISTAKES, tmp_path)
    assert 'Argument 1 to "install"' in found
    assert '"Tracing" has no attribute "no_such_method"' in found


def test_wheel_has_what_an_index_shows(wheel: Path) -> None:
    shown = metadata(wheel)
    assert [shown["Name"], shown["Version"], shown["License-Expression"]] == ["offpath", offpath.__version__, "MIT"]
    assert shown["Requires-Python"] == ">=3.11"
    assert shown.get_all("Provides-Extra") == ["mlflow"]
    assert "Typing :: Typed" in (shown.get_all("Classifier") or [])
    assert "offpath.install(" in str(shown.get_payload())


def test_wheel_holds_the_package_and_nothing_besides(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as content:
        names = content.namelist()
    assert {name.partition("/")[0] for name in names} == {"offpath", f"offpath-{offpath.__version__}.dist-info"}
    assert {Path(name).suffix for name in names if name.startswith("offpath/")} == {".py", ".typed"}
    assert f"offpath-{offpath.__version__}.dist-info/licenses/LICENSE" in names
