"""The SDK's layer in Lambda's own runtime: a function that has nothing else, but boto3, traces."""

from __future__ import annotations

import os
import re
import struct
import zipfile
from collections.abc import Iterator
from importlib.metadata import version as version_of
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import offpath
from local.built import bytecode
from local.built.sdk_layer import MAX_ZIP_BYTES, PYTHONS, REQUIREMENTS, build
from local.testbed.lambda_runtime import LambdaRuntime, lambda_runtime
from tests.support.sdk_package import FETCHED, HERE, UV, layer_variables, run, runtime_environment

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

# What an ELF file says that it is for.
MACHINES = {"x86_64": 62, "arm64": 183}
# The layer is built for 3.14, too, which is not tried.
TRIED = ("3.12", "3.13")
FUNCTION = """
import os
import sys
from importlib.metadata import entry_points, version

import offpath
import pydantic_core
from opentelemetry import trace

tracing = offpath.install(os.environ, service_name="another-team")


@offpath.traced(capture_inputs=True)
def predict(order):
    return {"fraud": order["items"] > 3}


@tracing.lambda_handler
def handler(event, context):
    return {
        "python": "%d.%d" % sys.version_info[:2],
        "answer": predict(event),
        "files": [module.__file__ for module in (offpath, pydantic_core, trace)],
        "contexts": [entry.name for entry in entry_points(group="opentelemetry_context")],
        "versions": [version("offpath"), version("opentelemetry-sdk")],
    }
"""
IMPORT_ALL = """
import importlib, pkgutil, offpath
for module in pkgutil.walk_packages(offpath.__path__, "offpath."):
    print(importlib.import_module(module.name).__file__)
"""

# Print what Python itself compiles: a module of its own, which has no bytecode, and the SDK.
COMPILED_NOW = """
import pathlib, sys, tempfile
sys.path.append(tempfile.mkdtemp())
pathlib.Path(sys.path[-1], "of_no_bytecode.py").write_text("")
sys.addaudithook(lambda event, given: event == "compile" and given[0] is not None and print(given[1]))
import of_no_bytecode, offpath.mlflow.http, offpath.testing
"""


@pytest.fixture(scope="module", params=MACHINES)
def architecture(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def archives(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The layer's zip file for each architecture."""
    pythons = bytecode.interpreters(UV, FETCHED)
    return {name: build(UV, name, tmp_path_factory.mktemp("layer"), pythons) for name in MACHINES}


@pytest.fixture(scope="module")
def opt(archives: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that Lambda unzips layers into, with the layer for this machine."""
    folder = tmp_path_factory.mktemp("opt")
    with zipfile.ZipFile(archives[HERE]) as content:
        content.extractall(folder)
    return folder


@pytest.fixture(scope="module", params=TRIED)
def python(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python of that version that has the runtime client and boto3 alone, as Lambda's has."""
    made = runtime_environment(str(request.param), tmp_path_factory.mktemp("runtime") / "venv")
    if made is None:
        pytest.skip(f"there is no Python {request.param} here, and uv can fetch none")
    return made


@pytest.fixture(scope="module")
def search_path(opt: Path, python: Path) -> dict[str, str]:
    """The variable by which Lambda puts the layer on a function's path; nothing is written into the layer."""
    version = run([python, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]).strip()
    return layer_variables(opt, version)


@pytest.fixture
def environ(search_path: dict[str, str], aws_endpoint: str, queue_url: str, bucket_name: str) -> dict[str, str]:
    """A function's variables."""
    aws = {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
    slow = {"OFFPATH_PUBLISH_BUDGET_SECONDS": "60"}  # moto on a busy machine is not an SQS that is away
    return aws | slow | {"OFFPATH_QUEUE_URL": queue_url, "OFFPATH_BUCKET": bucket_name} | search_path


@pytest.fixture
def runtime(python: Path, environ: dict[str, str], tmp_path: Path) -> Iterator[LambdaRuntime]:
    """Another team's function with the layer, as Lambda runs it."""
    folder = tmp_path / "task"
    folder.mkdir()
    (folder / "app.py").write_text(FUNCTION)
    with lambda_runtime("app.handler", environ, tmp_path / "lambda.log", python, folder) as running:
        yield running


def test_function_with_the_layer_alone_traces(
    runtime: LambdaRuntime, search_path: dict[str, str], sqs: SQSClient, queue_url: str
) -> None:
    answer = runtime.invoke({"items": 5})
    assert answer["answer"] == {"fraud": True}, answer
    compiled, pure = search_path["PYTHONPATH"].split(os.pathsep)
    assert f"/python{answer['python']}/" in compiled
    assert all(file.startswith((pure, compiled)) for file in answer["files"])
    [message] = sqs.receive_message(QueueUrl=queue_url, MaxNumberOfMessages=10)["Messages"]
    assert '{\\"order\\": {\\"items\\": 5}}' in message["Body"]


def test_function_finds_entry_points_and_versions_in_the_layer(runtime: LambdaRuntime) -> None:
    answer = runtime.invoke({"items": 1})
    assert answer["contexts"] == ["contextvars_context"]
    assert answer["versions"] == [offpath.__version__, version_of("opentelemetry-sdk")]


def test_every_module_of_the_sdk_imports_from_the_layer(python: Path, search_path: dict[str, str], opt: Path) -> None:
    variables = [f"{name}={value}" for name, value in search_path.items()]
    files = run(["env", "-i", *variables, python, "-c", IMPORT_ALL]).split()
    assert len(files) > 40
    assert all(file.startswith(str(opt / "python" / "offpath")) for file in files)


def test_no_module_of_the_layer_is_compiled_anew(python: Path, search_path: dict[str, str], opt: Path) -> None:
    variables = [f"{name}={value}" for name, value in search_path.items()]
    compiled = run(["env", "-i", *variables, python, "-c", COMPILED_NOW]).split()
    assert [file for file in compiled if file.startswith(str(opt))] == []
    assert compiled  # what has no bytecode is seen


def test_same_content_makes_the_same_layer(archives: dict[str, Path], tmp_path: Path) -> None:
    again = build(UV, HERE, tmp_path, bytecode.interpreters(UV, FETCHED))
    assert again.read_bytes() == archives[HERE].read_bytes()


def test_compiled_code_is_for_each_python_and_the_architecture(archives: dict[str, Path], architecture: str) -> None:
    with zipfile.ZipFile(archives[architecture]) as content:
        compiled = {name: content.read(name) for name in content.namelist() if name.endswith(".so")}
    folders = [name.partition("/site-packages/")[0] for name in compiled]
    assert sorted(folders) == [f"python/lib/python{version}" for version in PYTHONS]
    assert all(re.search(r"\.cpython-(\d+)-", name) for name in compiled)
    assert {struct.unpack_from("<H", content, 18)[0] for content in compiled.values()} == {MACHINES[architecture]}


def test_layer_is_small_and_leaves_boto3_to_the_runtime(archives: dict[str, Path], architecture: str) -> None:
    with zipfile.ZipFile(archives[architecture]) as content:
        names = content.namelist()
    assert archives[architecture].stat().st_size < MAX_ZIP_BYTES
    assert not [name for name in names if re.search(r"boto|urllib3|/tests/|\.pyi$", name)]


def test_layer_has_the_pinned_versions_and_the_wheels(archives: dict[str, Path], architecture: str) -> None:
    with zipfile.ZipFile(archives[architecture]) as content:
        names = content.namelist()
    found = {match[1] for name in names if (match := re.search(r"([\w.]+-[\w.]+)\.dist-info/METADATA$", name))}
    pinned = re.findall(r"^([\w-]+)==([\w.]+)", REQUIREMENTS.read_text(), re.MULTILINE)
    assert found == {
        f"{name.replace('-', '_')}-{version}" for name, version in [*pinned, ("offpath", offpath.__version__)]
    }
