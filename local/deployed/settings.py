"""Read the settings of a local deployment."""

from pathlib import Path

from pydantic import Field

from local.sources import ROOT
from offpath.settings import Settings

STACK = "offpath"
REGION = "us-east-1"
# The account of whoever deploys: its root, as the emulator has no other.
ACCOUNT = "000000000000"
SECRET_KEY = "deployed"  # noqa: S105  (the emulator takes any)


class DeployedSettings(Settings):
    """Hold what is read from `OFFPATH_DEPLOYED_HOME` and so on."""

    deployed_home: Path = Field(Path(".offpath-deployed"), description="the folder of a local deployment's state")
    deployed_template: Path = Field(
        ROOT / ".aws-sam" / "build" / "template.yaml", description="the built template that is deployed"
    )
    deployed_full: bool = Field(
        False, description="whether MLflow and its database run on machines of their own, which set-up makes"
    )
    deployed_keep: bool = Field(False, description="whether a deployment that failed stays, to be looked at")

    @property
    def home(self) -> Path:
        """The folder, as an absolute path: other processes than this one write there."""
        return self.deployed_home.absolute()
