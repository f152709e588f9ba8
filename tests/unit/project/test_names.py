"""Names of tests say subject and expectation in at most ten words."""

import ast

from local.sources import ROOT

MOST_WORDS = 10


def test_names_of_tests_have_at_most_ten_words() -> None:
    found = [
        node.name
        for path in sorted((ROOT / "tests").rglob("test_*.py"))
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_")
    ]
    assert len(found) > 1_000
    assert [name for name in found if name.count("_") > MOST_WORDS] == []
