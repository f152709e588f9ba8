"""A wrong import fails the check: each contract between the packages is broken by one planted line."""

import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.sources import ROOT, source_folders

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]
CONTRACTS = {contract["id"]: contract["name"] for contract in PROJECT["importlinter"]["contracts"]}
# Contract → the file that gets a line at its end, and the line.
PLANTED = {
    "functions": ("functions/api/prediction_api/settings.py", "import trace_writer.writer"),
    "api-without-mlflow": ("functions/api/prediction_api/shadow.py", "import offpath.mlflow.http"),
    "api-core": ("functions/api/prediction_api/prediction_flow.py", "import starlette.requests"),
    "shared-layer": ("layers/shared/offpath/settings.py", "import model_sync.sync"),
    "training": ("training/metrics.py", "import local.settings"),
    "product-without-tests": ("benchmarks/stats.py", "import tests.support.models"),
    "product-without-benchmarks": ("functions/model_sync/model_sync/sync.py", "import events.samples"),
    "shared-rooms": ("layers/shared/offpath/contracts/names.py", "import offpath.aws.s3"),
    "no-sdk": ("layers/shared/offpath/mlflow/http.py", "import opentelemetry.sdk.trace"),
    "private-modules": ("functions/trace_writer/trace_writer/chunk.py", "import offpath.tracing._otlp"),
    "mlflow-machine": ("training/worker/settings.py", "import rich.console"),
    "no-cycles": ("functions/model_sync/model_sync/traffic.py", "import model_sync.sync"),
}


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the repository's packages, that lines can be planted in."""
    copy = tmp_path_factory.mktemp("imports") / "checkout"
    names = {folder.relative_to(ROOT).parts[0] for folder in source_folders() if folder != ROOT}
    for name in {*names, *PROJECT["mypy"]["files"]}:
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__", "linked"))
    shutil.copy(ROOT / "pyproject.toml", copy)
    return copy


@pytest.fixture
def planted(checkout: Path, request: pytest.FixtureRequest) -> Iterator[Path]:
    """The copy with one line more."""
    file, line = PLANTED[request.param]
    path = checkout / file
    before = path.read_text()
    path.write_text(f"{before}\n{line}\n")
    yield checkout
    path.write_text(before)


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
    assert PLANTED.keys() == CONTRACTS.keys()


def test_no_contract_is_broken(checkout: Path) -> None:
    assert broken(checkout) == set()


@pytest.mark.parametrize(("planted", "contract"), [(name, name) for name in PLANTED], indirect=["planted"])
def test_planted_violation_is_found(planted: Path, contract: str) -> None:
    assert CONTRACTS[contract] in broken(planted)
