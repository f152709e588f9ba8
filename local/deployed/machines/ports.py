"""Name the machines and databases that the emulator asks for."""

from collections.abc import Mapping
from typing import Protocol


class Machines(Protocol):
    """Makes machines and databases. name, host: by which the others of the network find it."""

    def start_machine(self, name: str, user_data: str, environ: Mapping[str, str]) -> None:
        """Start a machine. user_data: the script of its first boot. environ: variables with its role's credentials."""

    def set_up(self, name: str, commands: str) -> None:
        """Run the association's commands on the machine, as root. Raises OffpathError if they fail."""

    def remove_machine(self, name: str) -> None:
        """Remove the machine."""

    def create_database(self, host: str, engine: str, username: str, password: str, database: str) -> None:
        """Make a database that is reached over TLS."""

    def remove_database(self, host: str) -> None:
        """Remove the database."""
