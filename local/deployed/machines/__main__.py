"""`python -m local.deployed.machines FORM VERB`: do what the emulator asks for, with a JSON document on the input."""

import json
import os
import sys
from collections.abc import Sequence

from local.deployed.home import DeployedHome
from local.deployed.machines.ports import Machines
from local.deployed.settings import DeployedSettings
from local.errors import CommandRefused
from offpath.contracts.errors import OffpathError


def main(arguments: Sequence[str]) -> int:
    """Do it, and return the exit code. FORM: plain or debian. VERB: a method's name, with hyphens."""
    form, verb = arguments
    document = json.load(sys.stdin)
    try:
        getattr(_machines(form), verb.replace("-", "_"))(**document)
    except OffpathError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 1
    return 0


def _machines(form: str) -> Machines:
    home = DeployedHome(DeployedSettings.load(os.environ).home)
    deployment = home.deployment()
    if deployment is None:
        raise CommandRefused(f"nothing is deployed in {home.path}")
    if form == "plain":
        from local.deployed.machines.plain import PlainMachines

        return PlainMachines(home, deployment)
    from local.deployed.machines.debian import DebianMachines

    return DebianMachines(home, deployment)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
