"""`import offpath` gives the public names, and loads OpenTelemetry only for those that need it."""

import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import offpath
from offpath import Tracing, attributes, install, traced

FOLDER = Path(inspect.getfile(offpath)).parent
# What the writer and the model sync import has to work where no OpenTelemetry is installed.
WITHOUT_OPENTELEMETRY = sorted(
    {"offpath", "offpath.attributes", "offpath.retry", "offpath.settings"}
    | {
        f"offpath.{path.relative_to(FOLDER).with_suffix('').as_posix().replace('/', '.').removesuffix('.__init__')}"
        for room in ("contracts", "aws", "mlflow")
        for path in (FOLDER / room).rglob("*.py")
    }
)
REFUSING = """
import sys

class Refusing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "opentelemetry":
            raise ModuleNotFoundError(f"{name} is not installed here", name=name)

sys.meta_path.insert(0, Refusing())
"""


def run(code: str) -> subprocess.CompletedProcess[str]:
    """Run the code in a process of its own that finds the source folders."""
    environ = {"PYTHONPATH": str(FOLDER.parent)}
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, env=environ)


def test_the_public_names_are_these() -> None:
    assert set(offpath.__all__) == {"install", "Tracing", "traced", "attributes", "__version__"}
    assert set(offpath.__all__) <= set(dir(offpath))


def test_each_public_name_is_what_its_module_defines() -> None:
    assert (offpath.install, offpath.Tracing, offpath.traced) == (install, Tracing, traced)
    assert offpath.attributes is attributes
    assert attributes.SPAN_INPUTS == "mlflow.spanInputs"


def test_a_name_that_is_not_there_is_named() -> None:
    with pytest.raises(AttributeError, match=r"module 'offpath' has no attribute 'instal'"):
        _ = offpath.instal  # type: ignore[attr-defined]


def test_type_checkers_are_told_of_annotations() -> None:
    assert (FOLDER / "py.typed").is_file()


def test_every_other_room_is_imported_where_no_opentelemetry_is_installed() -> None:
    done = run(
        f"{REFUSING}\nimport importlib\nfor name in {WITHOUT_OPENTELEMETRY!r}:\n    importlib.import_module(name)"
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert len(WITHOUT_OPENTELEMETRY) > 20


def test_tracing_is_not_imported_where_no_opentelemetry_is_installed() -> None:
    done = run(f"{REFUSING}\nimport offpath\nprint(offpath.__version__)\noffpath.install")
    assert done.stdout.strip() == offpath.__version__
    assert "No module named" in done.stderr or "is not installed here" in done.stderr


def test_without_a_tracing_traced_uses_the_global_tracer_provider() -> None:
    done = run(
        "import offpath\n"
        "from opentelemetry import trace\n"
        "from opentelemetry.sdk.trace import TracerProvider\n"
        "trace.set_tracer_provider(TracerProvider())\n"
        "with offpath.traced('lookup') as span:\n"
        "    print(type(span).__module__, span.name, span.is_recording())\n"
    )
    assert done.stdout.split() == ["opentelemetry.sdk.trace", "lookup", "True"], done.stderr
