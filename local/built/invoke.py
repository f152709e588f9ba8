"""Run each built function in Docker with a sample event, against the running stack: `python -m local.built.invoke`.

The API's function is called over HTTP, too, by the routes of the template.

`sam local invoke` only passes on variables that a template declares, so the built template is written anew beside
itself, with the local stack's addresses in every function's environment.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from local.built.relay import NAME, relayed
from local.built.start_api import started
from local.settings import HOST, LocalSettings
from local.sources import ROOT
from local.stack.environment import service_environment
from local.stack.web import answers, fetch
from offpath.contracts.errors import Transient

BUILT = ROOT / ".aws-sam" / "build"
SAM = ROOT / ".venv-sam" / "bin" / "sam"
INVOCATIONS = (
    ("ModelSyncFunction", "schedule"),
    ("ApiFunction", "api_predict_iris"),
    ("TraceWriterFunction", "sqs_batch"),
)
# The event that is posted over HTTP.
CALLED = "api_predict_iris"
CALL_SECONDS = 120.0  # a container starts for it
PASSED_ON = ("AWS_ENDPOINT_URL_SQS", "AWS_ENDPOINT_URL_S3")


def main(arguments: Sequence[str]) -> int:
    """Invoke all three, and return the exit code: 1 as soon as one fails. arguments: go to `sam local invoke`."""
    settings = LocalSettings.load(os.environ)
    if missing := _missing_prerequisite(settings):
        print(missing, file=sys.stderr)  # noqa: T201
        return 1
    environ = service_environment(os.environ, settings)
    template = write_template(BUILT, environ)
    with relayed([settings.s3_port, settings.sqs_port, settings.mlflow_port]):
        good = all(_invoked(template, *invocation, environ, arguments) for invocation in INVOCATIONS)
        return 0 if good and _called(template, environ, arguments) else 1


def _invoked(template: Path, function: str, event: str, environ: Mapping[str, str], arguments: Sequence[str]) -> bool:
    print(f"· {function} with events/{event}.json", flush=True)  # noqa: T201
    return _shown(invoke(template, function, event, environ, arguments), function)


def _called(template: Path, environ: Mapping[str, str], arguments: Sequence[str]) -> bool:
    event = json.loads((ROOT / "events" / f"{CALLED}.json").read_text(encoding="utf-8"))
    print(f"· POST {event['rawPath']} by sam local start-api", flush=True)  # noqa: T201
    # SAM's authorizer knows no tokens: the function alone asks for keys.
    command = [SAM, "local", "start-api", "--disable-authorizer", *_options(template), *arguments]
    try:
        with started(command, _sam_environment(environ)) as url:
            answer = fetch(url + event["rawPath"], json.loads(event["body"]), CALL_SECONDS)
            return _shown(answer, "the call")
    except Transient as error:
        print(error, file=sys.stderr)  # noqa: T201
        return False


def _shown(answer: Any, subject: str) -> bool:
    print(json.dumps(answer, indent=2) if answer is not None else f"{subject} failed", flush=True)  # noqa: T201
    return answer is not None


def write_template(built: Path, environ: Mapping[str, str]) -> Path:
    """Write the built template for the local stack, beside the built one, and return its path."""
    template: dict[str, Any] = yaml.safe_load((built / "template.yaml").read_text(encoding="utf-8"))
    template["Globals"]["Function"].pop("Environment", None)
    passed = {name: value for name, value in environ.items() if name.startswith("OFFPATH_") or name in PASSED_ON}
    given = {name: value.replace(HOST, NAME) for name, value in passed.items()}
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            resource["Properties"]["Environment"] = {"Variables": given}
    path = built / "local.yaml"
    path.write_text(yaml.safe_dump(template, sort_keys=False), encoding="utf-8")
    return path


def invoke(template: Path, function: str, event: str, environ: Mapping[str, str], arguments: Sequence[str]) -> Any:
    """Return the function's answer; None if it failed, which its log on standard error explains."""
    command = [SAM, "local", "invoke", function, *_options(template)]
    command += ["--event", ROOT / "events" / f"{event}.json", *arguments]
    line = list(map(str, command))
    done = subprocess.run(line, env=_sam_environment(environ), cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
    lines = done.stdout.strip().splitlines()
    answer = json.loads(lines[-1]) if done.returncode == 0 and lines else None
    return None if isinstance(answer, dict) and "errorMessage" in answer else answer


def _options(template: Path) -> list[str | Path]:
    return ["--template", template, "--add-host", f"{NAME}:host-gateway"]


def _sam_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Return SAM CLI's own environment, without the variables of the template: they would go before the template's."""
    return {name: value for name, value in environ.items() if name not in PASSED_ON and not name.startswith("OFFPATH_")}


def _missing_prerequisite(settings: LocalSettings) -> str:
    """Return a sentence that says what is missing and what to do about it; an empty one if nothing is."""
    if not _has_docker():
        return "make invoke needs Docker: install it from https://docs.docker.com/engine/install/, and start it"
    if not (BUILT / "template.yaml").exists():
        return "there is nothing built: make build first"
    if not answers(f"{settings.api_url}/health"):
        return f"no local pipeline answers at {settings.api_url}: make up in another terminal first"
    return ""


def _has_docker() -> bool:
    if shutil.which("docker") is None:
        return False
    return subprocess.run(["docker", "info"], capture_output=True, check=False).returncode == 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
