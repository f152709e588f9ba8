"""mypy finds a misspelt field of a contract, which at run time is kept as a newer version's."""

import sys
from pathlib import Path
from subprocess import run

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What mypy says of a module that misspells two fields, and gives another one a value of another type."""
    folder = tmp_path_factory.mktemp("misspelt")
    module = folder / "misspelt.py"
    module.write_text(
        "from offpath.contracts.recipes import Recipes\n"
        "from offpath.contracts.training_job import Progress\n"
        "Progress(fraction=0.5, text='')\n"
        "Progress(fractoin=0.5)\n"
        "Recipes(made_form='')\n"
        "Progress(fraction='0.5')\n"
    )
    command = [sys.executable, "-m", "mypy", "--cache-dir", str(folder / "cache"), str(module)]
    return run(command, cwd=ROOT, capture_output=True, text=True, check=False).stdout


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (4, 'Unexpected keyword argument "fractoin"'),
        (5, 'Unexpected keyword argument "made_form"'),
        (6, 'Argument "fraction" to "Progress" has incompatible type "str"'),
    ],
)
def test_mypy_refuses_what_no_field_takes(found: str, line: int, said: str) -> None:
    assert f"misspelt.py:{line}: error: {said}" in found


def test_mypy_takes_fields_as_they_are(found: str) -> None:
    assert "Found 3 errors in 1 file" in found
