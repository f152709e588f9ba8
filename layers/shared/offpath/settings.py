"""Read settings from `OFFPATH_*` environment variables, once, at the start."""

from collections.abc import Mapping
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails

from offpath.contracts.errors import SettingsError

PREFIX = "OFFPATH_"


class Settings(BaseModel):
    """Base of each process's settings: the field `queue_url` is the variable `OFFPATH_QUEUE_URL`."""

    # pydantic's own error, which a traceback shows beside ours, would quote all values, passwords too
    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    @classmethod
    def load(cls, environ: Mapping[str, str]) -> Self:
        """Read every field from its variable; an empty variable counts as unset.

        Raises SettingsError that names each unusable variable, its value and what was expected.
        """
        given = {name: environ.get(variable(name), "") for name in cls.model_fields}
        try:
            return cls.model_validate({name: text for name, text in given.items() if text})
        except ValidationError as error:
            lines = "\n".join(f"  {cls._complaint(detail)}" for detail in error.errors())
            raise SettingsError(f"the environment does not hold usable settings:\n{lines}") from error

    @classmethod
    def _complaint(cls, detail: ErrorDetails) -> str:
        if not detail["loc"]:  # a rule about several settings together
            return _lower(detail["msg"])
        name = str(detail["loc"][0])
        purpose = cls.model_fields[name].description or "no description"
        if detail["type"] == "missing":
            return f"{variable(name)} is not set; it holds {purpose}"
        return f"{variable(name)}={_shown(detail['input'])}: {_lower(detail['msg'])}; it holds {purpose}"


def variable(field: str) -> str:
    """Return the environment variable that a settings field is read from."""
    return PREFIX + field.upper()


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]
