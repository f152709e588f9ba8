"""The MLflow server's machine, set up for real from `layers/mlflow_host`; moto stands for AWS."""

import json
import secrets
import ssl
import tempfile
import urllib.error
import urllib.request
from base64 import b64encode
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from local.settings import ACCOUNT
from local.testbed.database_machine import DATABASE, USERNAME
from local.testbed.debian_machine import CERTIFICATES, DebianMachine, Ran
from tests.support.machines.host_layer import pack
from tests.support.waiting import wait_for

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sqs import SQSClient

FOLDER = "/opt/offpath/host-1"
PRIVATE_NAME, DOMAIN, DATABASE_HOST = "mlflow.internal", "mlflow.test", "database"
ARCHIVE, ARTIFACTS, JOBS = "archive", "artifacts", "jobs"
CA_KEY = "mlflow/ca.pem"
# The users, by the names of their secrets.
USERNAMES = {
    "database": USERNAME,
    "admin": "admin",
    "writer": "trace-writer",
    "model-sync": "model-sync",
    "trainer": "trainer",
}
PORTS = {"postgres": 5432, "mysql": 3306}
SERVICES = ("offpath-mlflow", "haproxy", "offpath-trainer")


@dataclass(slots=True)
class Account:
    """The buckets, queue and secrets (by name) that the stack has made in AWS before the machine comes up."""

    endpoint: str
    s3: "S3Client"
    manager: "SecretsManagerClient"
    sqs: "SQSClient"
    passwords: dict[str, str] = field(default_factory=dict)

    def provide(self) -> None:
        """Make all of it."""
        for bucket in (ARCHIVE, ARTIFACTS):
            self.s3.create_bucket(Bucket=bucket)
        for name in USERNAMES:
            self.manager.create_secret(Name=name)
            self.rotate(name)
        self.sqs.create_queue(QueueName=JOBS)

    @property
    def jobs_url(self) -> str:
        """The queue of training jobs."""
        return f"{self.endpoint}/{ACCOUNT}/{JOBS}"

    def rotate(self, name: str) -> None:
        """Give a secret a new password."""
        self.passwords[name] = secrets.token_urlsafe(24)
        login = {"username": USERNAMES[name], "password": self.passwords[name]}
        self.manager.put_secret_value(SecretId=name, SecretString=json.dumps(login))

    def published_ca(self) -> bytes:
        """The machine's CA certificate, as the functions get it."""
        return self.s3.get_object(Bucket=ARCHIVE, Key=CA_KEY)["Body"].read()


class MlflowMachine(DebianMachine):
    """A machine that is made, but not set up."""

    def __init__(self, name: str, network_name: str, account: Account, database_ca: str) -> None:
        super().__init__(name)
        self.boot(network_name, PRIVATE_NAME, "--network-alias", DOMAIN, "--publish", "127.0.0.1::443")
        self._account = account
        with tempfile.TemporaryDirectory() as folder:
            pack(Path(folder) / "layer.zip")
            self.copy(Path(folder), "/srv")
        self.run(f"python3 -m zipfile -e /srv/layer.zip {FOLDER}")
        self.write("/srv/database-ca.pem", database_ca)
        # What the instance's own profile and region are in AWS.
        environ = {
            "AWS_ENDPOINT_URL": account.endpoint,
            "MLFLOW_S3_ENDPOINT_URL": account.endpoint,
            "AWS_ACCESS_KEY_ID": "offpath",
            "AWS_SECRET_ACCESS_KEY": "offpath-local",
            # certbot trusts the certificate authority of the tests by it.
            "REQUESTS_CA_BUNDLE": "/srv/database-ca.pem",
        }
        defaults = " ".join(f'"{name}={value}"' for name, value in environ.items())
        self.write("/etc/systemd/system.conf.d/aws.conf", f"[Manager]\nDefaultEnvironment={defaults}\n")
        self.run("systemctl daemon-reexec")

    def configure(self, engine: str = "postgres", **others: str) -> None:
        """Write the settings that the stack's association writes."""
        settings = {
            "region": "us-east-1",
            "database_engine": engine,
            "database_host": DATABASE_HOST,
            "database_port": str(PORTS[engine]),
            "database_name": DATABASE,
            "database_secret": "database",
            "database_ca_url": "file:///srv/database-ca.pem",
            "admin_secret": "admin",
            "writer_secret": "writer",
            "model_sync_secret": "model-sync",
            "trainer_secret": "trainer",
            "artifacts": f"s3://{ARTIFACTS}/mlflow",
            "ca_object": f"s3://{ARCHIVE}/{CA_KEY}",
            "private_name": PRIVATE_NAME,
            "bucket": ARCHIVE,
            "training_queue_url": self._account.jobs_url,
            "training_visibility_seconds": "5",
        }
        lines = [f"OFFPATH_{name.upper()}={value}" for name, value in (settings | others).items()]
        self.write("/etc/offpath/host.env", "\n".join(lines) + "\n")

    def set_up(self, folder: str = FOLDER, *, check: bool = True) -> Ran:
        """Run the set-up as the association does."""
        return self.run(f"bash {folder}/setup", check=check, environ={"PIP_CERT": CERTIFICATES})

    @property
    def url(self) -> str:
        """Return the proxy's address from here, by a name that its certificate holds."""
        return f"https://localhost:{self.published(443)}"

    def get(self, path: str, username: str = "", password: str = "", ca: bytes | None = None) -> int:
        """The status of a GET over verified TLS; 0 when there is no answer."""
        request = urllib.request.Request(f"{self.url}{path}")
        if username:
            token = b64encode(f"{username}:{password}".encode()).decode()
            request.add_header("authorization", f"Basic {token}")
        trust = ssl.create_default_context(cadata=(ca or self._account.published_ca()).decode())
        try:
            with urllib.request.urlopen(request, timeout=30, context=trust) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return 0

    def login(self, username: str, password: str) -> int:
        """The status of asking for experiments as that user."""
        return self.get("/api/2.0/mlflow/experiments/search?max_results=1", username, password)

    def await_health(self) -> None:
        """Wait until MLflow answers through the proxy."""
        wait_for(lambda: self.get("/health") == 200, lambda: self.run("journalctl -u offpath-mlflow | tail -40").text)

    def restarts(self, service: str) -> int:
        """Return how often systemd started it again by itself."""
        return int(self.run(f"systemctl show {service} --property NRestarts --value").text)

    def cursor(self) -> str:
        """Return where the journal ends now."""
        return self.run("journalctl --no-pager --lines 1 --show-cursor").text.rpartition("-- cursor: ")[2]

    def said_since(self, cursor: str, service: str) -> str:
        """Return the lines of a service after that place in the journal."""
        return self.run(f"journalctl --no-pager --unit {service} --after-cursor '{cursor}'").text

    def journal(self) -> str:
        """Return the last lines of the journal, of any service."""
        return self.run("journalctl --no-pager --lines 60").text
