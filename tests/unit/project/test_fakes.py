"""Each fake is held to the real thing by a contract test that uses it."""

import re
from pathlib import Path

import pytest

import offpath.testing
from local.sources import ROOT
from tests.support.used_names import used_by_tests

TESTS = ROOT / "tests"
USED = {name for path in (TESTS / "contract").glob("test_*.py") for name in used_by_tests(path.read_text())}
FAKES = sorted((TESTS / "support" / "fakes").glob("[a-z]*.py"))
STAND_INS = [name for name in offpath.testing.__all__ if name.startswith(("InMemory", "Manual", "Recording"))]
# A contract test whose fixture makes a fake; each change takes the fake out of the test's reach.
CONTRACT_TEST = """
import pytest
from fakes import FakeClock
from real import Clock

def fake() -> FakeClock:
    return FakeClock()

@pytest.fixture(params=[fake, Clock])
def clock(request) -> FakeClock | Clock:
    return request.param()

def test_a_clock_goes_on(clock: FakeClock | Clock) -> None:
    assert clock.now() <= clock.now()
"""
OUT_OF_REACH = {
    "the fixture is not asked for": ("test_a_clock_goes_on(clock: FakeClock | Clock)", "test_a_clock_goes_on()"),
    "the fake is not among the parameters": ("params=[fake, Clock]", "params=[Clock]"),
    "the fake is not made": ("return FakeClock()", "return Clock()"),
    "nothing is tested": ("def test_a_clock_goes_on", "def a_clock_goes_on"),
}


@pytest.mark.parametrize("fake", FAKES, ids=lambda path: path.stem)
def test_each_fake_is_used_by_a_contract_test(fake: Path) -> None:
    names = re.findall(r"^class (Fake\w+)", fake.read_text(), flags=re.MULTILINE)
    assert names
    assert set(names) - USED == set()


@pytest.mark.parametrize("name", STAND_INS)
def test_each_stand_in_is_used_by_a_contract_test(name: str) -> None:
    assert name in USED


def test_fake_behind_a_fixture_is_used() -> None:
    assert "FakeClock" in used_by_tests(CONTRACT_TEST)


@pytest.mark.parametrize("change", OUT_OF_REACH.values(), ids=OUT_OF_REACH)
def test_fake_that_no_test_reaches_is_not_used(change: tuple[str, str]) -> None:
    assert change[0] in CONTRACT_TEST
    assert "FakeClock" not in used_by_tests(CONTRACT_TEST.replace(*change))


def test_no_fake_lies_anywhere_else() -> None:
    here = Path(__file__)
    others = [path for path in TESTS.rglob("*.py") if path not in FAKES and path != here]
    found = [
        f"{path.relative_to(ROOT)}: {name}"
        for path in others
        for name in re.findall(r"^class (Fake\w+)", path.read_text(), flags=re.MULTILINE)
    ]
    assert found == []
