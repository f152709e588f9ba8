"""No fake without a contract test: each is held to the real thing."""

import re
from pathlib import Path

import pytest

import offpath.testing
from local.sources import ROOT

TESTS = ROOT / "tests"
CONTRACTS = "\n".join(path.read_text() for path in (TESTS / "contract").glob("*.py"))
FAKES = sorted((TESTS / "support" / "fakes").glob("[a-z]*.py"))


@pytest.mark.parametrize("fake", FAKES, ids=lambda path: path.stem)
def test_each_fake_is_in_a_contract_test(fake: Path) -> None:
    names = re.findall(r"^class (Fake\w+)", fake.read_text(), flags=re.MULTILINE)
    assert names
    assert [name for name in names if not re.search(rf"\b{name}\b", CONTRACTS)] == []


@pytest.mark.parametrize("name", [name for name in offpath.testing.__all__ if name.startswith(("InMemory", "Manual"))])
def test_each_stand_in_for_users_is_in_a_contract_test(name: str) -> None:
    assert re.search(rf"\b{name}\b", CONTRACTS)


def test_no_fake_lies_anywhere_else() -> None:
    here = Path(__file__)
    others = [path for path in TESTS.rglob("*.py") if path not in FAKES and path != here]
    found = [
        f"{path.relative_to(ROOT)}: {name}"
        for path in others
        for name in re.findall(r"^class (Fake\w+)", path.read_text(), flags=re.MULTILINE)
    ]
    assert found == []
