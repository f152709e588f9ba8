"""Deploy and delete the stack with SAM CLI, as one does in AWS."""

import os
import re
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from local.deployed.environment import client_environment
from local.deployed.home import DeployedHome, Deployment
from local.deployed.settings import REGION, STACK
from local.errors import ServiceFailed
from local.sources import ROOT

SAM = ROOT / ".venv-sam" / "bin" / "sam"
TAIL_LINES = 60
EMPTY = '""'
# Lines of `sam deploy` that say how far a resource is.
EVENT = re.compile(r"^(CREATE|UPDATE|DELETE|ROLLBACK)\w*_(COMPLETE|FAILED)\s")


def deploy(
    home: DeployedHome,
    deployment: Deployment,
    template: Path,
    parameters: Mapping[str, str],
    show: Callable[[str], None] = lambda line: None,  # noqa: ARG005
) -> None:
    """Deploy the built template. show: gets a line for each resource that is done. Raises ServiceFailed."""
    # SAM CLI takes a value that is empty only in quotes, and keeps a former value where none is given.
    overrides = [f"{name}={value or EMPTY}" for name, value in parameters.items()]
    options = ["--template-file", str(template), "--resolve-s3", "--no-confirm-changeset"]
    options += ["--capabilities", "CAPABILITY_IAM", "--no-fail-on-empty-changeset"]
    _run(home, deployment, ["deploy", *options, *(["--parameter-overrides", *overrides] if overrides else [])], show)


def package(home: DeployedHome, deployment: Deployment, template: Path, target: Path) -> None:
    """Upload the built template's packages, and write a template that names them. Raises ServiceFailed."""
    _run(
        home,
        deployment,
        ["package", "--template-file", str(template), "--resolve-s3", "--output-template-file", str(target)],
        lambda line: None,  # noqa: ARG005
    )


def delete(home: DeployedHome, deployment: Deployment) -> None:
    """Delete the stack. Raises ServiceFailed."""
    _run(home, deployment, ["delete", "--no-prompts"], lambda line: None)  # noqa: ARG005


def _run(home: DeployedHome, deployment: Deployment, words: Sequence[str], show: Callable[[str], None]) -> None:
    place = ["--region", REGION, "--config-file", str(home.config)]
    if words[0] != "package":
        place += ["--stack-name", STACK]
    lines: list[str] = []
    with (home.logs / "sam.log").open("a", encoding="utf-8") as log:
        process = subprocess.Popen(
            [SAM, *words, *place],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            env=client_environment(os.environ, deployment),
            cwd=ROOT,
            start_new_session=True,
        )
        with process:
            try:
                for line in process.stdout or ():
                    log.write(line)
                    lines.append(line.rstrip())
                    if EVENT.match(line):
                        show(" ".join(line.split()[:3]))
            except BaseException:
                process.send_signal(signal.SIGINT)
                raise
        code = process.returncode
    if code:
        raise ServiceFailed("sam", f"sam {words[0]} ended with {code}:\n" + "\n".join(lines[-TAIL_LINES:]))
