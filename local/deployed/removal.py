"""Remove a local deployment: processes, containers, network, and the folder."""

from local.deployed.emulator import NAME
from local.deployed.home import DeployedHome
from local.stack.process_file import ProcessFile
from local.testbed.docker import docker, remove_network


def remove(home: DeployedHome) -> None:
    """Remove all of it, whatever of it there is. It can be repeated."""
    for owner in (NAME, "machine"):
        ProcessFile(home.processes(owner)).end_leftovers()
    remove_network(home.network)
    home.remove()


def remains(home: DeployedHome) -> list[str]:
    """Return what is left of a deployment: nothing, after `remove`."""
    left = [str(home.path)] if home.path.exists() else []
    left += docker("ps", "--all", "--format", "{{.Names}}", "--filter", f"network={home.network}").split()
    return left + docker("network", "ls", "--format", "{{.Name}}", "--filter", f"name=^{home.network}$").split()
