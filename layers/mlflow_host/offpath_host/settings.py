"""Read the machine's settings from `OFFPATH_*` variables: names and addresses only, no secret."""

import re
from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

PREFIX = "OFFPATH_"
HOST_NAME = re.compile(r"^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$")

Required = Annotated[str, Field(min_length=1)]
S3Uri = Annotated[str, Field(pattern=r"^s3://[^/]+/.+[^/]$")]


class HostSettingsError(ValueError):
    """A variable is missing or holds what cannot be used; the message names each."""


class HostSettings(BaseModel):
    """Hold the settings, which systemd reads from /etc/offpath/host.env.

    A secret's setting is its ARN or name in Secrets Manager. Without a queue of training jobs there is no training
    worker, which reads some of these itself.
    """

    model_config = ConfigDict(frozen=True)

    region: Required
    database_engine: Literal["postgres", "mysql"]
    database_host: Annotated[str, Field(pattern=HOST_NAME.pattern)]
    database_port: Annotated[int, Field(gt=0, lt=65536)]
    database_name: Annotated[str, Field(pattern=r"^[A-Za-z0-9_]+$")]
    database_secret: Required
    admin_secret: Required
    writer_secret: Required
    model_sync_secret: Required
    trainer_secret: Required
    artifacts: S3Uri
    ca_object: S3Uri
    private_name: Annotated[str, Field(pattern=HOST_NAME.pattern)]
    domain: Annotated[str, Field(pattern=rf"^$|{HOST_NAME.pattern}")] = ""
    workers: Annotated[int, Field(ge=1, le=64)] = 2
    bucket: Annotated[str, Field(min_length=3)]
    training_queue_url: str = ""
    training_seconds: Annotated[float, Field(gt=0)] = 3_600

    @classmethod
    def load(cls, environ: Mapping[str, str]) -> Self:
        """Read every field from its variable; an empty variable counts as unset. Raises HostSettingsError."""
        given = {name: environ.get(variable(name), "") for name in cls.model_fields}
        try:
            return cls.model_validate({name: text for name, text in given.items() if text})
        except ValidationError as error:
            lines = [
                f"{variable(str(detail['loc'][0]))}={given[str(detail['loc'][0])]!r}: {detail['msg']}"
                for detail in error.errors()
            ]
            raise HostSettingsError("the machine's settings cannot be used:\n  " + "\n  ".join(lines)) from error

    @property
    def names(self) -> list[str]:
        """Return the names that the server is reached by."""
        return [name for name in (self.private_name, self.domain) if name]


def variable(field: str) -> str:
    """Return the environment variable that a field is read from."""
    return PREFIX + field.upper()
