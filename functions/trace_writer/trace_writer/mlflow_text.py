"""Texts that MLflow reads as JSON, whatever they were meant to be.

MLflow parses every attribute that is a text (`sanitize_attributes` in mlflow/tracing/otel/translation/__init__.py).
One that begins like JSON and is nested too deeply, or has an integer of thousands of digits, raises an error that it
does not foresee. Whenever the trace is read, it makes protobuf of what it parsed, which has no integer beyond 64 bits.
"""

import hashlib
import json
import re

from trace_writer.mlflow_limits import MAX_DIGITS, MAX_INT64, MAX_NESTING, MIN_INT64

_OPENING = ("[", "{", " ", "\t", "\n", "\r")
_ALL_DIGITS_ZERO = bytes(ord("0") if chr(code).isdigit() and code < 128 else code for code in range(256))
_LONG_INTEGER = b"0" * len(str(MAX_INT64))
_TOO_MANY_DIGITS = b"0" * (MAX_DIGITS + 1)
SHORTEST_UNFIT = len(str(MAX_INT64))
_NO_MARKS = bytes(set(range(256)) - set(b'[]{}"'))
_NUMBER = re.compile(r'"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?', re.ASCII | re.DOTALL)
_DIGEST_DIGITS = 8


def text_fits(text: str) -> bool:
    """Tell whether MLflow can store an attribute of this text, and read it."""
    if len(text) < SHORTEST_UNFIT:
        return True
    if text.startswith(_OPENING):
        return not (_is_deep(text) or _has_digits(text, _LONG_INTEGER))
    return len(text) <= MAX_DIGITS or not _has_digits(text, _TOO_MANY_DIGITS)


def fitting_text(text: str) -> str:
    """Return the text with integers beyond int64 as texts, or, if that does not help, as a JSON string."""
    if text_fits(text):
        return text
    if not text.startswith(_OPENING) or _is_deep(text):
        return quoted(text)
    written = _NUMBER.sub(_as_json, text)
    if written == text or _is_json(written):
        return written
    return quoted(text) if _has_digits(text, _TOO_MANY_DIGITS) else text


def quoted(text: str) -> str:
    """Return the text as a JSON string, which MLflow shows as that text and does not parse any further."""
    return json.dumps(text, ensure_ascii=False)


def cut(text: str, longest: int) -> str:
    """Return a text of at most that many characters. It ends with a digest of the whole, so that two stay two."""
    if len(text) <= longest:
        return text
    digest = hashlib.sha256(text.encode(errors="replace")).hexdigest()[:_DIGEST_DIGITS]
    return f"{text[: longest - _DIGEST_DIGITS - 1]}-{digest}"


def _is_deep(text: str) -> bool:
    if text.count("[") + text.count("{") <= MAX_NESTING:
        return False
    brackets = _brackets(text.encode(errors="replace"))
    for _ in range(MAX_NESTING):
        brackets = brackets.replace(b"[]", b"").replace(b"{}", b"")
        if not brackets:
            return False
    return True


def _brackets(text: bytes) -> bytes:
    """The brackets of a JSON text outside its strings."""
    if b"\\" in text:
        text = text.replace(b"\\\\", b"").replace(b'\\"', b"")
    marks = text.translate(None, _NO_MARKS)
    # Where strings have no brackets, which is nearly everywhere, only pairs of quotes are left of them.
    brackets = marks.replace(b'""', b"")
    return b"".join(marks.split(b'"')[::2]) if b'"' in brackets else brackets


def _has_digits(text: str, run: bytes) -> bool:
    return run in text.encode(errors="replace").translate(_ALL_DIGITS_ZERO)


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def _as_json(token: re.Match[str]) -> str:
    written = token.group()
    if len(written) < len(str(MAX_INT64)) or not written.removeprefix("-").isdigit():
        return written
    if len(written) <= MAX_DIGITS and MIN_INT64 <= int(written) <= MAX_INT64:
        return written
    return f'"{written}"'
