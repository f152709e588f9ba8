"""Builds of a model that do not end well; a process of its own runs them."""

from __future__ import annotations

import os
import sys
from itertools import count

from offpath_cli.errors import ModelRefused
from offpath_cli.register.built import Built
from offpath_cli.register.registration_spec import RegistrationSpec
from training.callbacks import Report


def endless(_spec: RegistrationSpec, _max_bytes: int, report: Report) -> Built:
    """Convert for ever."""
    report("converting in double precision")
    for _ in count():
        pass
    raise AssertionError


def greedy(_spec: RegistrationSpec, _max_bytes: int, report: Report) -> Built:
    """Take more memory than there is."""
    report("comparing 3,000 records")
    held = [bytearray(100_000_000) for _ in count()]
    raise AssertionError(len(held))


def ended(_spec: RegistrationSpec, _max_bytes: int, report: Report) -> Built:
    """End without a word, as when the system ends a process."""
    report("reading m")
    os._exit(9)


def refused(spec: RegistrationSpec, max_bytes: int, _report: Report) -> Built:
    """Refuse the model."""
    raise ModelRefused(f"{spec.name} of {max_bytes} bytes is refused")


def broken(spec: RegistrationSpec, max_bytes: int, report: Report) -> Built:
    """Fail in a way that nobody foresees."""
    report(f"reading {spec.source}")
    raise KeyError(max_bytes)


def exits(spec: RegistrationSpec, max_bytes: int, report: Report) -> Built:
    """Exit, as a model's own code may when it is read."""
    report(f"reading {spec.source}")
    sys.exit(f"the licence of {max_bytes} users is over")
