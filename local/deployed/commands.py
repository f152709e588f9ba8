"""Run the commands `up` and `down` of a local deployment."""

import signal

from rich.console import Console

from local.deployed import deployment as steps
from local.deployed.home import DeployedHome
from local.deployed.removal import remains, remove
from local.deployed.settings import DeployedSettings
from local.errors import CommandRefused, Interrupted, ServiceFailed
from local.stack import lock
from local.stack.screen import Terminal
from local.stack.signals import STOP_SIGNALS, Interrupts
from local.testbed.docker import check_engine


def up(settings: DeployedSettings, console: Console) -> int:
    """Deploy, or deploy again, and return the exit code. Raises CommandRefused before anything starts."""
    home, screen, interrupts = DeployedHome(settings.home), Terminal(console), Interrupts()
    check_engine()
    if not settings.deployed_template.exists():
        raise CommandRefused(f"there is no {settings.deployed_template}: make build first")
    home.prepare()
    is_new = home.deployment() is None
    with lock.held(home.lock):
        interrupts.install()
        try:
            text = steps.deploy(home, settings, screen, interrupts)
        except (ServiceFailed, Interrupted, CommandRefused) as error:
            screen.problem(str(error))
            if is_new and not settings.deployed_keep:
                _remove(home, screen)
            return 1
    screen.summary("offpath is deployed on this machine", text)
    return 0


def down(settings: DeployedSettings, console: Console) -> int:
    """Remove what is deployed, and return the exit code: 1 if something is left."""
    check_engine()
    return _remove(DeployedHome(settings.home), Terminal(console))


def _remove(home: DeployedHome, screen: Terminal) -> int:
    for number in STOP_SIGNALS:  # it is short, and half of it would leave something behind
        signal.signal(number, signal.SIG_IGN)
    remove(home)
    if left := remains(home):
        screen.problem(f"these are left: {', '.join(left)}")
        return 1
    screen.step(f"nothing is left of the deployment in {home.path}")
    return 0
