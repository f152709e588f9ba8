"""A wrong import fails the check: each contract between the packages is broken by one planted line."""

import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from local.sources import ROOT, source_folders

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]
CONTRACTS = {contract["id"]: contract["name"] for contract in PROJECT["importlinter"]["contracts"]}
# Contract, the file that gets a line at its end or is made with it, and the line.
PLANTED = [
    ("functions", "functions/api/prediction_api/settings.py", "import trace_writer.writer"),
    ("api-without-mlflow", "functions/api/prediction_api/shadow.py", "import offpath.mlflow.http"),
    ("api-core", "functions/api/prediction_api/prediction_flow.py", "import starlette.requests"),
    ("api-core", "functions/api/prediction_api/format_predictions.py", "import fastapi"),
    ("api-core", "functions/api/prediction_api/shadow_agreement.py", "import prediction_api.http.body"),
    ("api-core", "functions/api/prediction_api/api_keys.py", "import starlette.requests"),
    ("api-core", "functions/api/prediction_api/settings.py", "import mangum"),
    ("api-core", "functions/api/prediction_api/new_module.py", "import prediction_api.http.services"),
    ("api-core", "functions/api/prediction_api/new_package/new_module.py", "import prediction_api.handler"),
    ("shared-layer", "layers/shared/offpath/settings.py", "import model_sync.sync"),
    ("training", "training/metrics.py", "import local.settings"),
    ("product-without-tests", "benchmarks/stats.py", "import tests.support.models"),
    ("product-without-benchmarks", "functions/model_sync/model_sync/sync.py", "import events.samples"),
    ("deployed", "layers/mlflow_host/offpath_host/serve.py", "import local.stack.screen"),
    ("deployed", "functions/trace_writer/trace_writer/report.py", "import offpath_cli.command_line"),
    ("shared-rooms", "layers/shared/offpath/contracts/names.py", "import offpath.aws.s3"),
    ("shared-rooms", "layers/shared/offpath/settings.py", "import offpath.mlflow.credentials"),
    ("shared-rooms", "layers/shared/offpath/new_module.py", "import offpath.contracts"),
    ("no-sdk", "layers/shared/offpath/mlflow/http.py", "import opentelemetry.sdk.trace"),
    ("no-sdk", "layers/shared/offpath/replay.py", "import opentelemetry.sdk.trace"),
    ("private-modules", "functions/trace_writer/trace_writer/chunk.py", "import offpath.tracing._otlp"),
    ("mlflow-machine", "training/worker/settings.py", "import rich.console"),
    ("mlflow-machine", "training/recipes/abalone.py", "import rich.table"),
    ("mlflow-machine", "training/onnx_artifact/convert.py", "import typer"),
    ("mlflow-machine", "training/data/files.py", "import training.tracking_uri"),
    ("mlflow-machine", "training/train_pipeline.py", "import training.display"),
    ("mlflow-machine", "training/plots.py", "import rich.console"),
    ("mlflow-machine", "training/new_module.py", "import typer"),
    ("no-cycles", "functions/model_sync/model_sync/traffic.py", "import model_sync.sync"),
]


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the repository's packages, that lines can be planted in."""
    copy = tmp_path_factory.mktemp("imports") / "checkout"
    names = {folder.relative_to(ROOT).parts[0] for folder in source_folders() if folder != ROOT}
    for name in {*names, *PROJECT["mypy"]["files"]}:
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__", "linked"))
    shutil.copy(ROOT / "pyproject.toml", copy)
    return copy


@contextmanager
def planted(path: Path, line: str) -> Iterator[None]:
    """Add the line to the file, and take it away again; a file, or a package, that there is not is made for it."""
    folder = path.parent
    if is_new_package := not folder.exists():
        folder.mkdir()
        (folder / "__init__.py").touch()
    before = path.read_text() if path.exists() else None
    path.write_text(f"{before or ''}\n{line}\n")
    try:
        yield
    finally:
        if before is not None:
            path.write_text(before)
        elif is_new_package:
            shutil.rmtree(folder)
        else:
            path.unlink()


def broken(checkout: Path) -> set[str]:
    """Return the names of the contracts that the import linter finds broken."""
    folders = [str(checkout / folder.relative_to(ROOT)) for folder in source_folders()]
    code = f"import sys; sys.path[:0] = {folders!r}; from importlinter.cli import lint_imports_command as run; run()"
    command = [sys.executable, "-c", code, "--no-cache", "--no-logo", str(checkout / "pyproject.toml")]
    done = subprocess.run(command, cwd=checkout, capture_output=True, text=True, check=False)
    found = {
        name for name in CONTRACTS.values() if re.search(rf"^{re.escape(name)}\s*BROKEN", done.stdout, re.MULTILINE)
    }
    assert done.returncode == bool(found), done.stdout + done.stderr
    assert f"{len(CONTRACTS) - len(found)} kept, {len(found)} broken" in done.stdout, done.stdout + done.stderr
    return found


def test_every_contract_has_a_planted_violation() -> None:
    assert {contract for contract, _, _ in PLANTED} == CONTRACTS.keys()


def test_no_contract_is_broken(checkout: Path) -> None:
    assert broken(checkout) == set()


@pytest.mark.parametrize(("contract", "file", "line"), PLANTED)
def test_planted_violation_is_found(checkout: Path, contract: str, file: str, line: str) -> None:
    with planted(checkout / file, line):
        assert CONTRACTS[contract] in broken(checkout)
