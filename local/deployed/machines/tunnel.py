"""The end of the tunnel to MLflow's machine, on this machine's loopback; in AWS Session Manager makes it."""

from local.testbed.docker import docker

# Where the machine's proxy listens for tunnels.
PORT = 5000


def container_name(network: str) -> str:
    """Return the name of the container that is MLflow's machine in that network."""
    return f"{network}-mlflow"


def tunnel(network: str) -> str:
    """Return the address of MLflow for people on this machine. Raises ServiceFailed if there is no such container."""
    published = docker("port", container_name(network), f"{PORT}/tcp").splitlines()[0]
    return f"http://127.0.0.1:{published.rpartition(':')[2]}"
