"""Call the program that makes the machines of a deployment: containers and processes, outside of the emulator.

`OFFPATH_EMULATOR_MACHINES` holds its command as JSON. It is called with a verb, and with a JSON document on its input.
Without the variable, machines are records only.
"""

import json
import os
import subprocess
import sys
from typing import Any

VARIABLE = "OFFPATH_EMULATOR_MACHINES"
SHOWN = 1_500


class MachineFailed(ValueError):
    """The program ended with an error, whose last lines the message holds."""


def call(verb: str, **document: Any) -> None:
    """Let the program do that. Raises MachineFailed; the resource's creation fails with it."""
    command = json.loads(os.environ.get(VARIABLE, "[]"))
    if not command:
        return
    done = subprocess.run([*command, verb], input=json.dumps(document), capture_output=True, text=True, check=False)
    sys.stderr.write(done.stdout + done.stderr)
    sys.stderr.flush()
    if done.returncode:
        raise MachineFailed(f"{verb}: {(done.stdout + done.stderr)[-SHOWN:].strip()}")
