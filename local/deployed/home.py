"""Keep the folder of a local deployment: where everything lies in it, and what is deployed."""

import json
import shutil
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path

from local.errors import CommandRefused

PORT = 4566


@dataclass(frozen=True, slots=True)
class Deployment:
    """Hold what was deployed to where. network: Docker's. gateway: this machine's address in it."""

    network: str
    gateway: str
    full: bool
    api_key: str

    @property
    def endpoint(self) -> str:
        """The address of the emulator, for this machine and for containers."""
        return f"http://{self.gateway}:{PORT}"


@dataclass(frozen=True, slots=True)
class DeployedHome:
    """Name the files of the folder."""

    path: Path

    @property
    def network(self) -> str:
        """The name of the network of this folder's containers, which are named after it, too."""
        return f"offpath-{sha256(str(self.path).encode()).hexdigest()[:8]}"

    @property
    def logs(self) -> Path:
        """The folder of logs."""
        return self.path / "logs"

    @property
    def temporary(self) -> Path:
        """The emulator's folder for temporary files, the functions' code among them."""
        return self.path / "temporary"

    @property
    def machine(self) -> Path:
        """The folder of MLflow's machine, in the fast form."""
        return self.path / "machine"

    @property
    def config(self) -> Path:
        """The configuration file of SAM CLI, which does without the user's own."""
        return self.path / "samconfig.toml"

    @property
    def lock(self) -> Path:
        """The file that a command holds while it works on the folder."""
        return self.path / "lock"

    def processes(self, owner: str) -> Path:
        """Return the file that lists the processes that `owner` started."""
        return self.path / "processes" / f"{owner}.json"

    def prepare(self) -> None:
        """Make the folder. Raises CommandRefused for one that holds something else."""
        if self.path.exists() and any(self.path.iterdir()) and not self.config.exists():
            raise CommandRefused(
                f"OFFPATH_DEPLOYED_HOME={self.path} is not empty and holds no local deployment.\n"
                "Set OFFPATH_DEPLOYED_HOME to a new or an empty folder."
            )
        for folder in (self.logs, self.temporary, self.machine, self.path / "processes"):
            folder.mkdir(parents=True, exist_ok=True)
        self.config.write_text("version = 0.1\n", encoding="utf-8")

    def remove(self) -> None:
        """Remove the folder, if it is one of these."""
        if self.config.exists():
            shutil.rmtree(self.path)

    def save(self, deployment: Deployment) -> None:
        """Note what is deployed. The file holds the API key of this deployment: nobody else may read it."""
        self._record.touch(mode=0o600)
        self._record.write_text(json.dumps(asdict(deployment)), encoding="utf-8")

    def deployment(self) -> Deployment | None:
        """Return what is deployed; None if nothing is."""
        if not self._record.exists():
            return None
        return Deployment(**json.loads(self._record.read_text(encoding="utf-8")))

    @property
    def _record(self) -> Path:
        return self.path / "deployment.json"
