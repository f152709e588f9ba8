"""Read public names, their signatures and their docstrings, without importing their modules."""

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import griffe

from local.reference.contents import Section
from local.reference.formatter import signature
from local.sources import ROOT


class UndocumentedError(Exception):
    """A public name has no docstring, or is not there at all."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A public name.

    signature: Python code; empty for what is not called. text: the docstring. members: of a class. value: of a
    constant.
    """

    name: str
    signature: str
    text: str
    members: Sequence["Entry"] = ()
    value: str = ""


def entries(section: Section) -> list[Entry]:
    """Return the entries of a section. Raises UndocumentedError."""
    module = griffe.load(
        section.module, search_paths=[ROOT / "layers" / "shared"], allow_inspection=False, resolve_aliases=True
    )
    return [
        _entry(_found(module, name), f"{section.module}.{name}", is_called=name not in section.returned)
        for name in section.names
    ]


def _found(module: griffe.Object | griffe.Alias, name: str) -> griffe.Object:
    try:
        found = module[name]
    except KeyError:
        raise UndocumentedError(f"{module.path} has no {name}: mend local/reference/contents.py") from None
    return found.final_target if isinstance(found, griffe.Alias) else found


def _entry(found: griffe.Object, name: str, *, is_called: bool = True) -> Entry:
    text = _text(found, name)
    if isinstance(found, griffe.Class):
        return Entry(name, _construction(found) if is_called else "", text, list(_members(found, name)))
    if isinstance(found, griffe.Function):
        forms = found.overloads or [found]
        return Entry(name, "\n".join(signature(found.name, form.parameters, form.returns) for form in forms), text)
    if "property" in found.labels and isinstance(found, griffe.Attribute):
        return Entry(name, f"{found.name}: {found.annotation}", text)
    return Entry(name, "", text, value=str(getattr(found, "value", "")))


def _construction(of: griffe.Class) -> str:
    made = of.members.get("__init__")
    return signature(of.name, made.parameters if isinstance(made, griffe.Function) else None, None)


def _members(of: griffe.Class, name: str) -> Iterator[Entry]:
    """Yield the public methods and properties of a class, in the order of its source."""
    for member in of.members.values():
        is_property = "property" in member.labels
        if (
            isinstance(member, griffe.Object)
            and (member.is_function or is_property)
            and not member.name.startswith("_")
        ):
            yield _entry(member, f"{name}.{member.name}")


def _text(found: griffe.Object, name: str) -> str:
    if found.docstring is None:
        raise UndocumentedError(f"{name} has no docstring: {found.relative_filepath}:{found.lineno}")
    return textwrap.dedent(found.docstring.value)
