"""Systems Manager's commands for MLflow's machine are read, and run by the shell that runs them there."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from zipfile import ZipFile

import pytest

from offpath_host.settings import HostSettings
from tests.infra.rendered import LEAST, WITH_DOMAIN, Stack

LAYER = "arn:aws:lambda:us-east-1:123456789012:layer:MlflowHostLayer:7"
# Stand-ins for what the machine has: each says that it was called, and does what the script counts on.
STUBS = {
    "cloud-init": "exit 1",
    "aws": 'echo "$@" >>aws.txt; [ "$(wc -l <aws.txt)" -ge "${FAILURES:-0}" ] && echo https://bucket/layer.zip',
    "curl": '[ "$8" = https://bucket/layer.zip ] && cp layer.zip "$7"',
    "sleep": "exit 0",
}


def commands(stack: Stack) -> str:
    [text] = stack["MlflowSetup"]["Parameters"]["commands"]
    return str(text)


def run(folder: Path, text: str, environ: Mapping[str, str] = {}) -> subprocess.CompletedProcess[str]:
    """Run the commands as the agent does, by sh; with the machine's folders below this one."""
    stubs = folder / "bin"
    stubs.mkdir(exist_ok=True)
    for name, body in STUBS.items():
        (stubs / name).write_text(f"#!/bin/sh\n{body}\n")
        (stubs / name).chmod(0o755)
    with ZipFile(folder / "layer.zip", "w") as layer:
        layer.writestr("setup", 'echo "set up in $0"\n')
    for name in ("/etc/offpath", "/opt/offpath"):
        text = text.replace(name, f"{folder}{name}")
    path = {"PATH": f"{stubs}:{os.environ['PATH']}"}
    return subprocess.run(
        ["sh", "-c", text], cwd=folder, env={**path, **environ}, capture_output=True, text=True, check=False
    )


def host_env(text: str) -> dict[str, str]:
    lines = text.partition("<<'SETTINGS'\n")[2].partition("SETTINGS\n")[0].splitlines()
    return dict(line.split("=", 1) for line in lines)


@pytest.mark.parametrize("given", [LEAST, WITH_DOMAIN, {**LEAST, "DatabaseEngine": "mysql"}])
def test_the_machine_takes_the_settings_that_it_is_given(given: dict[str, str]) -> None:
    environ = {**host_env(commands(Stack(given))), "OFFPATH_DATABASE_PORT": "5432"}
    settings = HostSettings.load(environ)
    assert settings.database_engine == given.get("DatabaseEngine", "postgres")
    assert settings.domain == given.get("MlflowDomain", "")
    assert settings.private_name == "MlflowInstance.PrivateDnsName"
    assert (settings.artifacts, settings.ca_object) == (
        "s3://ArtifactBucket/mlflow",
        "s3://ArchiveBucket/mlflow/ca.pem",
    )
    read_elsewhere = {"OFFPATH_ACME_EMAIL"}
    assert (
        set(environ)
        == {f"OFFPATH_{name.upper()}" for name in HostSettings.model_fields} - {"OFFPATH_WORKERS"} | read_elsewhere
    )


def test_the_commands_write_the_settings_and_run_the_layers_setup(tmp_path: Path) -> None:
    stack = Stack(WITH_DOMAIN)
    layer = next(name for name in stack.resources if name.startswith("MlflowHostLayer"))
    done = run(tmp_path, commands(stack).replace(layer, LAYER))
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"set up in {tmp_path}/opt/offpath/host-7/setup\n"
    assert LAYER in (tmp_path / "aws.txt").read_text()
    written = (tmp_path / "etc/offpath/host.env").read_text()
    assert dict(line.split("=", 1) for line in written.splitlines()) == host_env(commands(stack))


def test_the_commands_can_be_repeated(tmp_path: Path) -> None:
    text = commands(Stack(LEAST))
    assert run(tmp_path, text).returncode == 0
    (left_over,) = (tmp_path / "opt/offpath").glob("host-*")
    (left_over / "old").touch()
    assert run(tmp_path, text).returncode == 0
    assert not (left_over / "old").exists()


def test_rights_that_are_not_known_at_once_are_waited_for(tmp_path: Path) -> None:
    assert run(tmp_path, commands(Stack(LEAST)), {"FAILURES": "5"}).returncode == 0
    assert len((tmp_path / "aws.txt").read_text().splitlines()) == 5


def test_a_layer_that_cannot_be_had_fails_the_setup(tmp_path: Path) -> None:
    assert run(tmp_path, commands(Stack(LEAST)), {"FAILURES": "1000"}).returncode != 0
    assert len((tmp_path / "aws.txt").read_text().splitlines()) == 12


def test_a_setup_that_fails_fails_the_deployment(tmp_path: Path) -> None:
    text = commands(Stack(LEAST)).replace('bash "$folder/setup"', 'bash "$folder/no-such-file"')
    assert run(tmp_path, text).returncode != 0
    setup = Stack(LEAST)["MlflowSetup"]
    assert setup["WaitForSuccessTimeoutSeconds"] == 1800
    [limit] = setup["Parameters"]["executionTimeout"]
    assert int(limit) < setup["WaitForSuccessTimeoutSeconds"]


def test_the_setup_waits_for_what_it_needs() -> None:
    setup = Stack(LEAST).resources["MlflowSetup"]
    assert setup["Properties"]["Targets"] == [{"Key": "InstanceIds", "Values": ["MlflowInstance"]}]
    assert set(setup["DependsOn"]) == {"MlflowAddressAssociation", "MlflowToDatabase", "SecretsEndpoint"}


def test_the_layer_is_uploaded_as_it_is() -> None:
    text = commands(Stack(LEAST))
    [layer] = [name for name in Stack(LEAST).resources if name.startswith("MlflowHostLayer")]
    assert f"layer={layer}\n" in text
    assert Stack(LEAST)[layer]["Content"] == {"S3Bucket": "packages", "S3Key": "MlflowHostLayer"}
