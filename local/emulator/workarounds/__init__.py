"""Mend what MiniStack lacks, or does otherwise than AWS, in one module each.

A module has two functions. `is_needed` asks MiniStack whether it still is so, and `install` mends it in this process.
"""

from collections.abc import Iterable
from typing import Protocol

from local.emulator.workarounds import (
    associations,
    batch_actions,
    busy_containers,
    cors_configuration,
    database,
    elastic_addresses,
    instances,
    joined_conditions,
    kept_code,
    layer_version_action,
    mapping_concurrency,
    message_moves,
    secret_punctuation,
    secret_reference,
    security_group_rules,
    tls_origin,
    worker_threads,
)


class Workaround(Protocol):
    """A module of this package."""

    __name__: str

    def is_needed(self) -> bool:
        """Return whether MiniStack, as it is in this process, does otherwise than AWS."""

    def install(self) -> None:
        """Mend it."""


ALL: tuple[Workaround, ...] = (
    associations,
    batch_actions,
    busy_containers,
    cors_configuration,
    database,
    elastic_addresses,
    instances,
    joined_conditions,
    kept_code,
    layer_version_action,
    mapping_concurrency,
    message_moves,
    secret_punctuation,
    secret_reference,
    security_group_rules,
    tls_origin,
    worker_threads,
)


def needed(workarounds: Iterable[Workaround]) -> dict[str, bool]:
    """Return for the name of each whether MiniStack needs it."""
    return {one.__name__.rpartition(".")[2]: one.is_needed() for one in workarounds}


def install_all() -> None:
    """Mend all of it in this process, before the emulator serves."""
    for one in ALL:
        one.install()
