"""The SDK's package declares all that it imports, and nothing else."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.metadata import distributions, version
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from local.sources import ROOT

SOURCE = ROOT / "layers" / "shared"
PROJECT = tomllib.loads((SOURCE / "pyproject.toml").read_text())["project"]
BASE = [Requirement(line) for line in PROJECT["dependencies"]]
MLFLOW = [Requirement(line) for line in PROJECT["optional-dependencies"]["mlflow"]]
FILES = sorted((SOURCE / "offpath").rglob("*.py"))
OF_MLFLOW = [path for path in FILES if "mlflow" in path.relative_to(SOURCE).parts]
OWN = {"offpath", "__future__"}
# Imported when a program that uses it asks for that, and declared by that program.
OPTIONAL = {"mlflow", "mlflow-skinny", "mlflow-tracing"}


def run_time_nodes(node: ast.AST) -> Iterator[ast.AST]:
    """A file's nodes, without what only a type checker reads."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and isinstance(child.test, ast.Name) and child.test.id == "TYPE_CHECKING":
            continue
        yield child
        yield from run_time_nodes(child)


def imports(path: Path) -> Iterator[list[str]]:
    """For each import of another package, the modules that it can mean; the likelier ones first."""
    for node in run_time_nodes(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from ([alias.name] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from ([f"{node.module}.{alias.name}", node.module] for alias in node.names)


@cache
def owners() -> dict[str, str]:
    """The distribution of each file that is installed here."""
    records = [(normalized(one.name), one.read_text("RECORD") or "") for one in distributions()]
    return {line.partition(",")[0]: name for name, record in records for line in record.splitlines()}


def owner(modules: Iterable[str]) -> str:
    """The distribution that the first of these modules is in, of those that there are."""
    paths = [name.replace(".", "/") for name in modules]
    files = [file for path in paths for file in (f"{path}.py", f"{path}/__init__.py")]
    return next((owners()[file] for file in files if file in owners()), f"nobody's: {modules}")


def normalized(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def used(files: Iterable[Path]) -> set[str]:
    """The distributions that these files import from."""
    others = [names for path in files for names in imports(path) if names[-1].partition(".")[0] not in OWN]
    return {owner(names) for names in others if names[-1].partition(".")[0] not in sys.stdlib_module_names}


def test_declared_dependencies_are_what_the_package_imports() -> None:
    assert {one.name for one in BASE} == used(path for path in FILES if path not in OF_MLFLOW) - OPTIONAL


def test_extra_mlflow_is_what_only_the_writers_side_imports() -> None:
    assert {one.name for one in MLFLOW} == used(OF_MLFLOW) - {one.name for one in BASE}


def test_optional_packages_are_imported_by_one_module() -> None:
    [path] = [path for path in FILES if used([path]) & OPTIONAL]
    assert path.name == "_mlflow_api.py"


@pytest.mark.parametrize("requirement", [*BASE, *MLFLOW], ids=lambda one: one.name)
def test_versions_that_the_tests_run_with_are_allowed(requirement: Requirement) -> None:
    assert requirement.specifier.contains(version(requirement.name), prereleases=True)


def test_package_has_the_projects_licence_and_pythons() -> None:
    whole = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert (SOURCE / "LICENSE").read_text() == (ROOT / "LICENSE").read_text()
    assert [PROJECT[key] for key in ("license", "requires-python")] == ["MIT", whole["requires-python"]]
