"""The stack of the template, deployed by SAM CLI to an emulator of AWS: used, updated, hurt, and deleted."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

import events
from local.deployed import sam
from local.deployed.api import Api
from local.deployed.first_prediction import BODY, PREDICT
from local.deployed.home import PORT
from local.deployed.image import BASE
from local.deployed.removal import remains
from local.deployed.settings import STACK
from local.errors import ServiceFailed
from local.testbed.docker import missing_docker
from offpath.contracts.spilled import LOG_MARK
from tests.support.deployed.templates import Template, changed, with_line
from tests.support.deployed.tokens import issuer
from tests.support.deployed.traffic import traffic
from tests.support.deployed.user import TEMPLATE, DeployedUser
from tests.support.servers.stack import Command
from tests.support.waiting import wait_for

NEW_CODE = "second version of this package"
PAGE = "https://page.example"


def _missing() -> str:
    """Return what is missing here and this test cannot do without; empty if nothing is."""
    if reason := missing_docker():
        return reason
    if subprocess.run(["docker", "image", "inspect", BASE], capture_output=True, check=False).returncode:
        return f"Docker has no image {BASE}: docker pull {BASE}"
    return "" if TEMPLATE.exists() else "nothing is built: make build"


pytestmark = [
    pytest.mark.docker,
    pytest.mark.story,
    pytest.mark.skipif(bool(_missing()), reason=_missing() or "it is all there"),
]


@pytest.fixture(scope="module")
def user(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeployedUser]:
    """Somebody who has deployed nothing yet; what they deploy is removed."""
    user = DeployedUser(tmp_path_factory.mktemp("deployed"))
    yield user
    user.run("down")


@pytest.fixture(scope="module")
def up(user: DeployedUser) -> Command:
    """The deployment."""
    command = user.run("up")
    assert command.process.returncode == 0, command.text
    return command


@pytest.fixture(scope="module")
def packaged(user: DeployedUser, up: Command, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The template with its packages uploaded: to be deployed again without packing them again."""
    target = tmp_path_factory.mktemp("packaged") / "template.yaml"
    sam.package(user.home, user.stack.deployment, TEMPLATE, target)
    return target


@pytest.fixture
def hasty_queue(user: DeployedUser, up: Command) -> Iterator[str]:
    """The URL of the trace queue, which shows a message that the writer failed on again after a second, not minutes."""
    url = user.stack.outputs()["TraceQueueUrl"]
    as_deployed = user.stack.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["VisibilityTimeout"])["Attributes"]
    user.stack.sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "1"})
    yield url
    user.stack.sqs.set_queue_attributes(QueueUrl=url, Attributes=as_deployed)


@pytest.fixture
def hasty_sweep(user: DeployedUser, up: Command) -> None:
    """The schedule of the spill sweep, as deployed but for its rate: each minute, not each five."""
    scheduler = user.stack.client("scheduler")
    [found] = scheduler.list_schedules(NamePrefix=f"{STACK}-spill-sweep")["Schedules"]
    schedule = scheduler.get_schedule(Name=found["Name"], GroupName=found["GroupName"])
    given = ("Name", "GroupName", "FlexibleTimeWindow", "Target", "State")
    scheduler.update_schedule(**{name: schedule[name] for name in given}, ScheduleExpression="rate(1 minute)")


def test_the_command_prints_outputs_and_a_trace(up: Command, user: DeployedUser) -> None:
    for name, value in user.stack.outputs().items():
        assert name in up.text
        assert value in up.text
    assert f'curl "$API_URL{PREDICT}"' in up.text
    link = next(line for line in up.text.splitlines() if line.startswith("A trace")).split()[-1]
    assert user.mlflow.link(link.rpartition("/")[2]) == link


def test_a_prediction_gets_its_trace_and_its_archive_line(up: Command, user: DeployedUser) -> None:
    trace_id = user.predict()
    assert user.await_trace(trace_id)["tags"]["model"] == "iris"
    assert trace_id in user.archived()


def test_the_deployed_audit_finds_that_all_is_well(up: Command, user: DeployedUser) -> None:
    user.await_trace(user.predict())
    wait_for(lambda: user.audit()["result"] == "well", lambda: f"{user.audit()}\n{user.log_of('AuditLogs')}")
    found = json.loads(user.stack.s3.get_object(Bucket=user.bucket, Key="status/audit.json")["Body"].read())
    assert (found["schema"], found["missing"]) == ("audit/1", 0)
    assert found["ends"]["in_mlflow"] >= 1


def test_whoever_deployed_can_audit_the_stack(up: Command, user: DeployedUser) -> None:
    done = user.offpath("audit", "--stack", STACK, "--grace", "0m", "--verify", "0", "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(done.stdout)
    assert (found["pipeline"], found["missing"]) == (f"the stack {STACK}", [])
    assert found["models"]["iris"]["ends"]["in_mlflow"] >= 1


def test_only_the_networks_address_and_loopback_listen(up: Command, user: DeployedUser) -> None:
    files = user.home.path.glob("processes/*.json")
    leaders = [psutil.Process(entry["pid"]) for file in files for entry in json.loads(file.read_text()).values()]
    processes = [one for leader in leaders for one in (leader, *leader.children(recursive=True))]
    assert len(processes) >= 3  # the emulator, MLflow and the training worker
    sockets = [connection for one in processes for connection in one.net_connections("inet")]
    listening = {connection.laddr for connection in sockets if connection.status == psutil.CONN_LISTEN}
    assert listening == {(user.stack.deployment.gateway, PORT)}
    published = subprocess.check_output(
        ["docker", "ps", "--format", "{{.Ports}}", "--filter", f"network={user.home.network}"]
    )
    hosts = {word.rpartition(":")[0] for word in published.decode().replace(",", " ").split() if "->" in word}
    assert hosts == {"127.0.0.1"}


def test_who_has_no_key_is_not_let_in(up: Command, user: DeployedUser) -> None:
    assert Api(user.api.url, "").call("POST", PREDICT, BODY).status == 401
    assert Api(user.api.url, "").call("GET", "/openapi.json").status == 200


def test_a_training_job_makes_the_next_version(up: Command, user: DeployedUser) -> None:
    answer = user.api.call("POST", "/models/iris/train", {"alias": "challenger"})
    assert answer.status == 202, answer.data
    path = f"/jobs/{answer.json()['id']}"
    wait_for(
        lambda: user.api.call("GET", path).json()["state"] == "succeeded", lambda: str(user.api.call("GET", path).data)
    )


def test_garbage_is_dead_lettered_and_redriven(up: Command, user: DeployedUser, hasty_queue: str) -> None:
    dead = user.stack.outputs()["DeadLetterQueueUrl"]
    user.stack.sqs.send_message(QueueUrl=hasty_queue, MessageBody="garbage")
    trace_id = _send_sample(user, dead)
    wait_for(lambda: _waiting(user, dead) == 2, lambda: user.log_of("TraceWriterLogs"))

    user.stack.sqs.start_message_move_task(SourceArn=_arn(user, dead), DestinationArn=_arn(user, hasty_queue))

    user.await_trace(trace_id)
    wait_for(lambda: _waiting(user, dead) == 1, lambda: user.log_of("TraceWriterLogs"))
    [message] = user.stack.sqs.receive_message(QueueUrl=dead, MessageAttributeNames=["All"])["Messages"]
    assert message["Body"] == "garbage"
    assert message["MessageAttributes"]["reason"]["StringValue"]


def test_nobody_lacks_a_permission(up: Command, user: DeployedUser) -> None:
    assert user.denials() == []


def test_what_cannot_be_queued_leads_back_by_itself(up: Command, user: DeployedUser, hasty_sweep: None) -> None:
    with user.denied("ApiFunction", "sqs:SendMessage"):
        spilled = user.predict()
        wait_for(lambda: user.has_spilled(spilled), lambda: user.log_of("ApiLogs"))
        with user.denied("ApiFunction", "s3:PutObject"):
            logged = user.predict()
            wait_for(lambda: LOG_MARK in user.log_of("ApiLogs"), lambda: user.log_of("ApiLogs"))
    # A queue that has failed is left alone for a while.
    wait_for(lambda: not user.has_spilled(user.predict()), lambda: user.log_of("ApiLogs"))

    for trace_id in (spilled, logged):
        user.await_trace(trace_id)
    assert {spilled, logged} <= user.archived()
    wait_for(lambda: not user.waits_in_spill(), lambda: f"{user.keys('spill/')}\n{user.log_of('SpillSweepLogs')}")


@pytest.mark.usefixtures("hasty_queue")
def test_an_update_in_mid_traffic_fails_no_prediction(up: Command, user: DeployedUser, tmp_path: Path) -> None:
    def change(template: Template) -> None:
        line = f'print("{NEW_CODE}")'
        for name, key, module in (
            ("ApiFunction", "CodeUri", "prediction_api/handler.py"),
            ("TraceWriterFunction", "CodeUri", "trace_writer/handler.py"),
            ("SharedLayer", "ContentUri", "python/offpath/__init__.py"),
        ):
            properties = template["Resources"][name]["Properties"]
            properties[key] = with_line(Path(properties[key]), module, line, tmp_path / name)

    template = changed(TEMPLATE, tmp_path / "template.yaml", change)
    with traffic(user.api) as seen:
        user.deploy(template, LogRetentionDays="14")
        answered = len(seen.traces)
        wait_for(lambda: len(seen.traces) > answered + 20, lambda: str(seen.failures))

    assert user.stack.status == "UPDATE_COMPLETE"
    assert not seen.failures, "\n".join(seen.failures)
    for trace_id in seen.traces:
        user.await_trace(trace_id)
    assert set(seen.traces) <= user.archived()
    assert user.log_of("ApiLogs").count(NEW_CODE) >= 2  # the layer's line, and the function's
    assert NEW_CODE in user.log_of("TraceWriterLogs")


def test_a_failing_update_rolls_back(up: Command, user: DeployedUser, packaged: Path, tmp_path: Path) -> None:
    def fail(template: Template) -> None:
        commands = template["Resources"]["MlflowSetup"]["Properties"]["Parameters"]["commands"]
        commands[0]["Fn::Sub"][0] = commands[0]["Fn::Sub"][0].replace("set -eu\n", "set -eu\nno-such-command\n")

    with pytest.raises(ServiceFailed, match="no-such-command"):
        user.deploy(changed(packaged, tmp_path / "failing.yaml", fail))

    assert user.stack.status == "UPDATE_ROLLBACK_COMPLETE"
    user.await_trace(user.predict())


def test_tokens_and_pages_are_parameters(up: Command, user: DeployedUser, packaged: Path) -> None:
    people = issuer(user.stack)
    parameters = {"ApiKeyDigests": "", "JwtIssuer": people.url, "JwtAudience": people.audience, "CorsOrigins": PAGE}
    user.deploy(packaged, **parameters)

    anybody = Api(user.api.url, "")
    preflight = {"origin": PAGE, "access-control-request-method": "POST"}
    assert anybody.call("OPTIONS", PREDICT, headers=preflight).headers["access-control-allow-origin"] == PAGE
    assert anybody.call("POST", PREDICT, BODY).status == 401
    assert anybody.call("POST", PREDICT, BODY, {"authorization": "Bearer nonsense"}).status == 401
    answer = anybody.call("POST", PREDICT, BODY, {"authorization": f"Bearer {people.token}", "origin": PAGE})
    assert answer.status == 200, answer.data
    assert answer.headers["access-control-allow-origin"] == PAGE
    user.await_trace(answer.json()["trace_id"])


def test_what_is_denied_is_what_the_test_denied(up: Command, user: DeployedUser) -> None:
    denials = user.denials()
    assert denials
    assert [line for line in denials if "explicit deny" not in line] == []


def test_deletion_keeps_buckets_layers_and_a_snapshot(up: Command, user: DeployedUser) -> None:
    buckets = {user.stack.outputs()[name] for name in ("ArchiveBucket", "ArtifactBucket")}
    sam.delete(user.home, user.stack.deployment)

    kept = user.stack
    assert buckets <= {bucket["Name"] for bucket in kept.s3.list_buckets()["Buckets"]}
    assert len(kept.client("rds").describe_db_snapshots()["DBSnapshots"]) == 1
    layers = {layer["LayerName"] for layer in kept.client("lambda").list_layers()["Layers"]}
    assert layers == {"SharedLayer", "SdkLayer"}
    assert kept.client("lambda").list_functions()["Functions"] == []
    assert kept.sqs.list_queues().get("QueueUrls", []) == []
    assert kept.client("rds").describe_db_instances()["DBInstances"] == []
    assert kept.secrets.list_secrets()["SecretList"] == []


def test_nothing_remains_of_a_removed_deployment(up: Command, user: DeployedUser) -> None:
    processes = [
        entry["pid"]
        for file in user.home.path.glob("processes/*.json")
        for entry in json.loads(file.read_text()).values()
    ]
    assert user.run("down").process.returncode == 0
    assert remains(user.home) == []
    assert [
        pid for pid in processes if psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    ] == []


def _send_sample(user: DeployedUser, queue: str) -> str:
    """Send a sample event to a queue, and return its trace id in MLflow."""
    [record, *_] = events.load("sqs_batch")["Records"]
    values = {name: attribute["stringValue"] for name, attribute in record["messageAttributes"].items()}
    user.stack.sqs.send_message(
        QueueUrl=queue,
        MessageBody=record["body"],
        MessageAttributes={name: {"DataType": "String", "StringValue": value} for name, value in values.items()},
    )
    return f"tr-{values['trace_id']}"


def _arn(user: DeployedUser, queue: str) -> str:
    found = user.stack.sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])
    return found["Attributes"]["QueueArn"]


def _waiting(user: DeployedUser, queue: str) -> int:
    found = user.stack.sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["ApproximateNumberOfMessages"])
    return int(found["Attributes"]["ApproximateNumberOfMessages"])
