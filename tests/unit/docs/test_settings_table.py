"""The table of settings names what each process that emits traces can be told, with the defaults that hold."""

import re

import pytest
from pydantic.fields import FieldInfo

from local.sources import ROOT
from offpath.settings import variable
from offpath.tracing import TracingSettings

ROW = re.compile(r"^\| `(OFFPATH_\w+)` \| (.*?) ?\| (.+) \|$", re.MULTILINE)
SECTION = (ROOT / "docs" / "contracts.md").read_text().partition("\n## Settings\n")[2].partition("\n\nAWS endpoint")[0]
DEFAULTS = {name: default.strip("`") for name, default, _ in ROW.findall(SECTION)}


def shown(field: FieldInfo) -> str:
    """Return a field's default as the table has it: nothing for one that must be set, 2 for 2.0."""
    if field.is_required():
        return ""
    return f"{field.default:.15g}" if isinstance(field.default, float) else str(field.default)


@pytest.mark.parametrize("name", TracingSettings.model_fields)
def test_table_has_each_setting_with_its_default(name: str) -> None:
    assert DEFAULTS[variable(name)] == shown(TracingSettings.model_fields[name])


def test_no_variable_is_in_the_table_twice() -> None:
    names = [name for name, _, _ in ROW.findall(SECTION)]
    assert sorted(names) == sorted(set(names))
