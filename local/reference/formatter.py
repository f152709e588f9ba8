"""Write code as the formatter would."""

import subprocess
import sys

import griffe

from local.sources import ROOT

# In characters: a page shows no more without scrolling.
LONGEST_SIGNATURE = 100


def signature(name: str, parameters: griffe.Parameters | None, returns: object) -> str:
    """Return the signature of a function, or of a class that is called, as Python code without a body."""
    made = griffe.Function(name, parameters=_without_self(parameters), returns=None)
    result = f" -> {returns}" if returns else ""
    source = f"def {made.signature()}{result}: ..."
    return _format(source, "signature.py", f"--line-length={LONGEST_SIGNATURE}").removeprefix("def ")[: -len(": ...\n")]


def formatted_page(text: str) -> str:
    """Return the Markdown with its blocks of Python as `make check` wants them."""
    return _format(text, "docs/reference.md")


def _format(source: str, file_name: str, *arguments: str) -> str:
    command = [sys.executable, "-m", "ruff", "format", "--stdin-filename", file_name, *arguments, "-"]
    return subprocess.run(command, input=source, capture_output=True, text=True, check=True, cwd=ROOT).stdout


def _without_self(parameters: griffe.Parameters | None) -> griffe.Parameters:
    return griffe.Parameters(*(each for each in parameters or () if each.name != "self"))
