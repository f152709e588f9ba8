"""Find the pipeline that a command is about: the local stack, or one that was deployed to AWS."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import boto3
import typer
from botocore.config import Config
from botocore.session import Session as BotocoreSession

from local.settings import ACCESS_KEY, ARCHIVE, DEAD_LETTERS, REGION, SECRET_KEY, LocalSettings
from offpath.aws.errors import aws_errors
from offpath.aws.s3 import Bucket
from offpath.contracts.errors import OffpathError
from offpath.mlflow.credentials import Credentials, StaticCredentials
from offpath.mlflow.http import MlflowHttp
from offpath.mlflow.stored_credentials import read_certificates
from offpath_cli.errors import CommandError, CouldNotTell

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

StackName = Annotated[
    str,
    typer.Option(
        "--stack",
        envvar="OFFPATH_STACK",
        metavar="NAME",
        help="The CloudFormation stack; region and credentials are AWS's own. Without it, the local stack.",
        show_default=False,
    ),
]
MLFLOW_SECONDS = 30.0
_CONFIG = Config(
    connect_timeout=3, read_timeout=30, retries={"mode": "standard", "total_max_attempts": 3}, max_pool_connections=32
)
_OUTPUTS = ("ArchiveBucket", "TraceQueueUrl", "DeadLetterQueueUrl", "MlflowUrl")


@dataclass(frozen=True, slots=True)
class Pipeline:
    """Hold where the parts of a pipeline are, and make clients of them.

    name: what to call it in messages. s3_url, sqs_url: endpoints; None is AWS's own, or the environment's.
    """

    name: str
    bucket_name: str
    queue_url: str
    dead_letter_url: str
    mlflow_url: str
    session: boto3.Session
    s3_url: str | None = None
    sqs_url: str | None = None

    def bucket(self) -> Bucket:
        """Return the archive's bucket, which holds everything else, too."""
        return Bucket(self.session.client("s3", endpoint_url=self.s3_url, config=_CONFIG), self.bucket_name)

    def sqs(self) -> "SQSClient":
        """Return a client of SQS."""
        return self.session.client("sqs", endpoint_url=self.sqs_url, config=_CONFIG)

    def mlflow(self) -> MlflowHttp:
        """Return a client of MLflow, with the login of `MLFLOW_TRACKING_USERNAME` and `…_PASSWORD`.

        Raises SettingsError for an address that cannot be used, or CommandError for certificates that cannot be read.
        """
        return MlflowHttp(self.mlflow_url, StaticCredentials(_login(os.environ)), MLFLOW_SECONDS)


def find_pipeline(stack: str, environ: Mapping[str, str] = os.environ) -> Pipeline:
    """Return the pipeline of the CloudFormation stack of that name, or the local one if the name is empty.

    MLflow's address is that of `MLFLOW_TRACKING_URI`, if it is set. Raises CouldNotTell if AWS does not answer,
    CommandError if there is no such stack, or SettingsError.
    """
    return _deployed(stack, environ) if stack else _local(environ)


def _local(environ: Mapping[str, str]) -> Pipeline:
    settings = LocalSettings.load(environ)
    return Pipeline(
        name="the local stack",
        bucket_name=ARCHIVE,
        queue_url=settings.queue_url,
        dead_letter_url=settings.url_of(DEAD_LETTERS),
        mlflow_url=environ.get("MLFLOW_TRACKING_URI") or settings.mlflow_url,
        session=_local_session(),
        s3_url=settings.s3_url,
        sqs_url=settings.sqs_url,
    )


def _local_session() -> boto3.Session:
    """Return a session that knows nothing of the user's own AWS accounts: neither profile nor files."""
    plain = BotocoreSession(session_vars={"profile": (None, None, None, None)})
    for file in ("config_file", "credentials_file"):
        plain.set_config_variable(file, os.devnull)
    plain.set_default_client_config(Config(proxies={}))
    return boto3.Session(ACCESS_KEY, SECRET_KEY, region_name=REGION, botocore_session=plain)


def _deployed(stack: str, environ: Mapping[str, str]) -> Pipeline:
    session, outputs = _outputs(stack)
    lacking = [name for name in _OUTPUTS if name not in outputs]
    if lacking:
        raise CommandError(f"the stack {stack!r} is none of offpath: it has no output {', '.join(lacking)}")
    # Without a domain the output says where the tunnel ends, and then what has to run for it.
    mlflow_url = environ.get("MLFLOW_TRACKING_URI") or outputs["MlflowUrl"].partition(",")[0]
    return Pipeline(
        name=f"the stack {stack}",
        bucket_name=outputs["ArchiveBucket"],
        queue_url=outputs["TraceQueueUrl"],
        dead_letter_url=outputs["DeadLetterQueueUrl"],
        mlflow_url=mlflow_url,
        session=session,
    )


def _outputs(stack: str) -> tuple[boto3.Session, dict[str, str]]:
    try:
        with aws_errors(f"reading the outputs of the stack {stack!r}"):
            session = boto3.Session()
            answer = session.client("cloudformation", config=_CONFIG).describe_stacks(StackName=stack)
    except OffpathError as error:
        raise CouldNotTell(str(error)) from error
    outputs = answer["Stacks"][0].get("Outputs", [])
    return session, {output["OutputKey"]: output["OutputValue"] for output in outputs}


def _login(environ: Mapping[str, str]) -> Credentials:
    file = environ.get("MLFLOW_TRACKING_SERVER_CERT_PATH")
    return Credentials(
        environ.get("MLFLOW_TRACKING_USERNAME"),
        environ.get("MLFLOW_TRACKING_PASSWORD", ""),
        _certificates(file) if file else None,
    )


def _certificates(file: str) -> str:
    try:
        return read_certificates(Path(file).read_bytes())
    except (OSError, ValueError) as error:
        raise CommandError(f"MLFLOW_TRACKING_SERVER_CERT_PATH={file}: {error}; expected certificates in PEM") from error
