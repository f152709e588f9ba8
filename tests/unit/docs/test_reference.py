"""The reference is what the docstrings say, and leaves out no public name."""

from importlib import import_module

import pytest

from local.reference.__main__ import REFERENCE
from local.reference.contents import SECTIONS, Section
from local.reference.docstrings import markdown
from local.reference.entries import UndocumentedError, entries
from local.reference.page import page

# Told of elsewhere: the settings in docs/contracts.md; the rest is for the prediction API.
LEFT_OUT = {"TracingSettings", "Receipts", "awaited_later", "new_provider", "__version__", "attributes"}


def test_page_is_what_the_docstrings_say() -> None:
    assert REFERENCE.read_text() == page(), "run `make reference`"


@pytest.mark.parametrize("module", ["offpath", "offpath.tracing", "offpath.testing"])
def test_every_public_name_has_an_entry(module: str) -> None:
    told = {name for section in SECTIONS for name in section.names}
    assert set(import_module(module).__all__) - told <= LEFT_OUT


def test_a_name_that_is_not_there_is_named() -> None:
    with pytest.raises(UndocumentedError, match="offpath has no instal"):
        entries(Section("Set-up", "offpath", ["instal"]))


def test_a_name_without_docstring_is_named() -> None:
    with pytest.raises(UndocumentedError, match=r"offpath\.attributes\.INSTANCE has no docstring"):
        entries(Section("Attributes", "offpath.attributes", ["INSTANCE"]))


def test_code_of_a_docstring_is_fenced_whole() -> None:
    text = "Return it.\n\n    first()\n\n    second()\n\nname: of it; given twice. other, third: of them."

    assert markdown(text) == (
        "Return it.\n\n```python\nfirst()\n\nsecond()\n```\n\n`name`: of it; given twice. `other`, `third`: of them."
    )
