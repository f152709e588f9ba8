"""The prediction API's core knows no HTTP."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import prediction_api

PACKAGE = Path(str(prediction_api.__file__)).parent
HTTP = ("starlette", "fastapi", "mangum", "http", "prediction_api.http", "prediction_api.handler")
CORE = sorted(
    path for path in PACKAGE.rglob("*.py") if path.relative_to(PACKAGE).parts[0] not in {"http", "handler.py"}
)


def imports(path: Path) -> Iterator[str]:
    """Every module that the file names, wherever it does."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("path", CORE, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_the_core_imports_nothing_of_http(path: Path) -> None:
    assert [name for name in imports(path) if f"{name}.".startswith(tuple(f"{module}." for module in HTTP))] == []


def test_the_core_is_found() -> None:
    assert {"prediction_flow.py", "shadow.py", "errors.py"} <= {path.name for path in CORE}
