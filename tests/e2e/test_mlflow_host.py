"""The MLflow server's machine, from a clean Debian on: set up, used, hurt, and set up again."""

import importlib
import ssl
import sys
import urllib.error
import urllib.request
from typing import Any

import pytest

import events
from local.sources import ROOT
from local.testbed.database_machine import DatabaseMachine
from local.testbed.docker import missing_docker
from tests.support.machines import acme
from tests.support.machines.machine_jobs import MachineJobs
from tests.support.machines.mlflow_machine import (
    ARCHIVE,
    ARTIFACTS,
    CA_KEY,
    DOMAIN,
    FOLDER,
    SERVICES,
    Account,
    MlflowMachine,
)
from tests.support.servers.stack import start_command
from tests.support.servers.trace_writer_lambda import Context
from tests.support.waiting import wait_for

pytestmark = [
    pytest.mark.docker,
    pytest.mark.story,
    pytest.mark.skipif(bool(missing_docker()), reason=missing_docker() or "it is there"),
]
TRACES = [record["messageAttributes"]["trace_id"]["stringValue"] for record in events.load("sqs_batch")["Records"]]


@pytest.fixture(scope="module")
def host(mlflow_machine: MlflowMachine) -> MlflowMachine:
    """The machine, set up over PostgreSQL."""
    mlflow_machine.set_up()
    return mlflow_machine


@pytest.fixture(scope="module")
def jobs(host: MlflowMachine, account: Account) -> MachineJobs:
    """Training jobs for the machine."""
    return MachineJobs(account, host)


@pytest.fixture
def functions_see(account: Account, host: MlflowMachine, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """The environment that both functions have in AWS, but for whose secret they get."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", account.endpoint)
    monkeypatch.setenv("OFFPATH_BUCKET", ARCHIVE)
    monkeypatch.setenv("OFFPATH_MLFLOW_URL", host.url)
    monkeypatch.setenv("OFFPATH_MLFLOW_CA_KEY", CA_KEY)
    return monkeypatch


def stored_traces(database: DatabaseMachine, engine: str) -> set[str]:
    """The ids of all traces in MLflow's database."""
    return set(database.query(engine, "select request_id from trace_info").split())


def started(name: str) -> Any:
    """The function of that name, started with the environment as it is now."""
    sys.modules.pop(f"{name}.handler", None)
    return importlib.import_module(f"{name}.handler")


def write_sample_batch() -> dict[str, list[dict[str, str]]]:
    """Return the trace writer's answer to the sample batch."""
    answer: dict[str, list[dict[str, str]]] = started("trace_writer").handler(events.load("sqs_batch"), Context())
    return answer


def test_wrong_setting_is_named_before_anything_starts(mlflow_machine: MlflowMachine) -> None:
    mlflow_machine.configure(artifacts="a-bucket")
    refused = mlflow_machine.set_up(check=False)
    mlflow_machine.configure()

    assert refused.code == 1
    assert "OFFPATH_ARTIFACTS='a-bucket'" in refused.text
    assert mlflow_machine.run("systemctl is-enabled offpath-mlflow", check=False).code != 0


def test_the_generated_users_may_log_in_and_nobody_else(host: MlflowMachine, account: Account) -> None:
    assert host.login("admin", account.passwords["admin"]) == 200
    assert host.login("trace-writer", account.passwords["writer"]) == 200
    assert host.login("model-sync", account.passwords["model-sync"]) == 200
    assert host.login("trainer", account.passwords["trainer"]) == 200
    assert host.login("", "") == 401
    assert host.login("admin", account.passwords["writer"]) == 401


def test_server_certificate_is_signed_by_the_published_ca_alone(host: MlflowMachine) -> None:
    assert host.get("/health") == 200
    with pytest.raises(urllib.error.URLError, match="CERTIFICATE_VERIFY_FAILED"):
        urllib.request.urlopen(f"{host.url}/health", context=ssl.create_default_context(), timeout=30)


def test_the_private_name_is_in_it(host: MlflowMachine, database: DatabaseMachine, account: Account) -> None:
    database.write("/root/mlflow-ca.pem", account.published_ca().decode())
    answer = database.run(
        "openssl s_client -connect mlflow.internal:443 -CAfile /root/mlflow-ca.pem "
        "-x509_strict -verify_return_error -verify_hostname mlflow.internal </dev/null"
    )
    assert "Verify return code: 0 (ok)" in answer.text


def test_the_writers_traces_arrive_in_postgresql(functions_see: pytest.MonkeyPatch, database: DatabaseMachine) -> None:
    functions_see.setenv("OFFPATH_MLFLOW_SECRET", "writer")

    assert write_sample_batch() == {"batchItemFailures": []}

    assert {f"tr-{trace}" for trace in TRACES} <= stored_traces(database, "postgres")


def test_registered_model_lands_in_s3_and_is_published(
    functions_see: pytest.MonkeyPatch, host: MlflowMachine, account: Account, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("training")
    (folder / "ca.pem").write_bytes(account.published_ca())
    environ = {
        "MLFLOW_TRACKING_URI": host.url,
        "MLFLOW_TRACKING_USERNAME": "admin",
        "MLFLOW_TRACKING_PASSWORD": account.passwords["admin"],
        "MLFLOW_TRACKING_SERVER_CERT_PATH": str(folder / "ca.pem"),
    }
    training = start_command(folder / "output", environ, "training", "iris")
    assert training.exit_code() == 0, training.text

    keys = [found["Key"] for found in account.s3.list_objects_v2(Bucket=ARTIFACTS).get("Contents", [])]
    assert any(key.startswith("mlflow/") and key.endswith("/model.onnx") for key in keys), keys
    functions_see.setenv("OFFPATH_MLFLOW_SECRET", "model-sync")
    report = started("model_sync").handler({}, None)
    assert report["models"] == {"iris": {"champion": "1"}}
    assert b"iris" in account.s3.get_object(Bucket=ARCHIVE, Key="models/manifest.json")["Body"].read()


def test_the_pipelines_users_may_do_their_work_and_no_more(host: MlflowMachine, account: Account) -> None:
    by = {
        name: (user, account.passwords[name])
        for name, user in {"writer": "trace-writer", "model-sync": "model-sync"}.items()
    }
    model = "/api/2.0/mlflow/registered-models/get?name=iris"
    users = "/api/2.0/mlflow/users/get?username=admin"
    assert host.get(model, *by["model-sync"]) == 200
    assert host.get(model, *by["writer"]) == 403
    assert host.get(users, *by["writer"]) == host.get(users, *by["model-sync"]) == 403
    # An experiment that somebody else made: the training's.
    experiment = "/api/2.0/mlflow/experiments/get?experiment_id=2"
    assert host.get(experiment, *by["writer"]) == 200
    assert host.get(experiment, *by["model-sync"]) == 403


def test_job_is_trained_beside_mlflow_after_an_earlier_attempt(
    host: MlflowMachine, account: Account, jobs: MachineJobs
) -> None:
    better = {"metric": "validation_accuracy", "margin": 0.5}
    job = jobs.run("iris", alias="candidate", promote=better)

    assert job.state == "succeeded", job.error
    assert job.result
    assert (job.result.version, job.result.alias) == ("2", "candidate")
    assert job.result.promotion
    assert job.result.promotion.promoted is False
    assert job.result.version_url == "http://localhost:5000/#/models/iris/versions/2"
    version = "/api/2.0/mlflow/registered-models/alias?name=iris&alias=candidate"
    assert host.get(version, "admin", account.passwords["admin"]) == 200
    assert jobs.run("iris", alias="champion").state == "succeeded"


def test_training_workers_user_has_only_the_rights_it_needs(host: MlflowMachine, account: Account) -> None:
    """It deletes what a broken attempt left, in an experiment that is not its own: here the administrator's."""
    done = host.run(
        """set -e
        ask() { curl --silent --user "trainer:$PASSWORD" --header 'content-type: application/json' "$@"; }
        api=http://localhost:5000/api/2.0/mlflow
        model=$(ask $api/logged-models --data '{"experiment_id": "2"}' | grep -oE 'm-[0-9a-f]{32}' | head -1)
        status="--output /dev/null --write-out %{http_code}\\n"
        ask $status --request DELETE $api/logged-models/$model
        ask $status $api/experiments/delete --data '{"experiment_id": "2"}'
        ask $status --request DELETE $api/registered-models/delete --data '{"name": "iris"}'
        ask $status $api/users/get?username=admin""",
        environ={"PASSWORD": account.passwords["trainer"]},
    )
    assert done.text.split() == ["200", "403", "403", "403"]


def test_trainings_are_held_to_their_limits(host: MlflowMachine) -> None:
    names = (
        "CPUQuotaPerSecUSec",
        "CPUWeight",
        "MemoryMax",
        "TasksMax",
        "OOMPolicy",
        "KillMode",
        "User",
        "ControlGroup",
    )
    shown = host.run(f"systemctl show offpath-trainer --property {','.join(names)}").text
    found = dict(line.split("=", 1) for line in shown.splitlines())
    memory, group = int(found.pop("MemoryMax")), found.pop("ControlGroup")
    total = 1024 * int(host.run("awk '/MemTotal/ { print $2 }' /proc/meminfo").text)
    assert found == {
        "CPUQuotaPerSecUSec": "1s",
        "CPUWeight": "20",
        "TasksMax": "256",
        "OOMPolicy": "continue",
        "KillMode": "mixed",
        "User": "trainer",
    }
    assert memory == pytest.approx(0.4 * total, rel=0.01)
    # As the kernel has it, in either version of control groups.
    files = f"/sys/fs/cgroup{group}/memory.max /sys/fs/cgroup/memory{group}/memory.limit_in_bytes"
    limit = int(host.run(f"cat {files} 2>/dev/null", check=False).text)
    assert limit == pytest.approx(memory, abs=4096)


def test_people_are_let_in_by_what_the_documentation_says(host: MlflowMachine, account: Account) -> None:
    chapter = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8").partition("## People and their access")[2]
    script = chapter.split("```")[1]
    done = host.run(f"set -e; {script}", environ={"PASSWORD": account.passwords["admin"]})

    assert '"username":"ada"' in done.text
    ada = ("ada", "at least twelve characters")
    assert host.get("/api/2.0/mlflow/registered-models/get?name=iris", *ada) == 200
    assert host.get("/api/2.0/mlflow/experiments/get?experiment_id=2", *ada) == 200
    assert host.get("/api/2.0/mlflow/users/get?username=admin", *ada) == 403


@pytest.mark.parametrize(
    "path",
    [
        "/metrics",
        "//metrics",
        "/%6detrics",
        "/METRICS",
        "/ajax-api/3.0/jobs/1",
        "/ajax-api/3.0//jobs/search",
        "/api/3.0/jobs",
        "/ajax-api/3.0/mlflow/assistant/config",
        "/ajax-api/3.0/mlflow/%61ssistant/config",
        "/api/3.0/mlflow/gateway/secrets/create",
    ],
)
def test_what_is_not_exposed_is_refused_by_the_proxy(path: str, host: MlflowMachine, account: Account) -> None:
    cursor = host.cursor()
    assert host.get(path, "admin", account.passwords["admin"]) == 404
    wait_for(lambda: "mlflow/<NOSRV> 0/-1/-1/-1/0 404" in host.said_since(cursor, "haproxy"), host.journal)


def test_a_path_that_nobody_can_read_is_refused(host: MlflowMachine, account: Account) -> None:
    assert host.get("/ajax-api/3.0/jobs/%zz", "admin", account.passwords["admin"]) == 400


def test_a_tunnel_leads_through_the_proxy_too(host: MlflowMachine, account: Account) -> None:
    """MLflow's assistant would run commands for whoever comes from 127.0.0.1, where tunnels end."""
    login = {"PASSWORD": account.passwords["admin"]}
    ask = "curl --silent --output /dev/null --write-out '%{http_code}' --user admin:$PASSWORD"
    experiment = "http://localhost:5000/api/2.0/mlflow/experiments/get?experiment_id=0"
    assistant = "localhost:5000/ajax-api/3.0/mlflow/assistant"
    change = "--request PUT --header 'content-type: application/json' --data '{}'"
    assert host.run(f"{ask} {experiment}", environ=login).text == "200"
    assert host.run(f"{ask} {change} http://{assistant}/config", environ=login).text == "404"
    # Nor would MLflow itself: on its socket nobody is local.
    socket = "--unix-socket /run/offpath-mlflow/mlflow.sock"
    assert host.run(f"{ask} {change} {socket} http://{assistant}/config", environ=login).text == "403"


def test_nothing_but_the_proxy_listens_beyond_loopback(host: MlflowMachine) -> None:
    lines = [line.split() for line in host.run("ss -Hltnup").text.splitlines()]
    beyond = [(line[4], line[-1]) for line in lines if not line[4].startswith(("127.", "[::1]"))]
    assert beyond
    assert all('"haproxy"' in process for _, process in beyond), beyond
    assert {address.rpartition(":")[2] for address, _ in beyond} == {"80", "443"}
    loopback = {line[4]: line[-1] for line in lines if line[4].startswith("127.") and "users" in line[-1]}
    assert list(loopback) == ["127.0.0.1:5000"]
    assert '"haproxy"' in loopback["127.0.0.1:5000"]


def test_no_secret_shows_in_processes_journal_or_readable_files(host: MlflowMachine, account: Account) -> None:
    host.write("/usr/local/secrets", "\n".join(account.passwords.values()) + "\n")
    host.write("/srv/bait", account.passwords["admin"] + "\n")
    search = "grep --fixed-strings --file /usr/local/secrets"
    for shown in ("ps auxww", "journalctl --no-pager"):
        assert host.run(f"{shown} | {search} --count", check=False).text == "0", shown
    # Root finds them where they are kept; what anybody could read holds the bait alone.
    assert host.run(f"{search} --files-with-matches /run/offpath-mlflow/*.ini").text == "/run/offpath-mlflow/auth.ini"
    files = "find / /run /tmp -xdev -type f -not -path '/usr/*' -not -path '/opt/offpath/venv-*' -print0"
    anybody = f"{files} 2>/dev/null | xargs -0 {search} --no-messages --files-with-matches"
    readable = host.run(f'runuser -u nobody -- bash -c "{anybody}"', check=False)
    host.run("rm /usr/local/secrets /srv/bait")
    assert readable.text == "/srv/bait"


def test_guessing_passwords_is_slowed_down_for_the_one_who_guesses(
    host: MlflowMachine, database: DatabaseMachine, account: Account
) -> None:
    database.write("/root/mlflow-ca.pem", account.published_ca().decode())
    ask = "curl --silent --output /dev/null --write-out '%{http_code}' --cacert /root/mlflow-ca.pem --user"
    url = "https://mlflow.internal/api/2.0/mlflow/experiments/search?max_results=1"
    guesses = database.run(f"for n in $(seq 12); do {ask} admin:guess-$n '{url}'; echo; done").text.split()

    assert guesses == ["401"] * 10 + ["429"] * 2
    assert (
        database.run(f"{ask} admin:$PASSWORD '{url}'", environ={"PASSWORD": account.passwords["admin"]}).text == "429"
    )
    assert host.login("admin", account.passwords["admin"]) == 200


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_that_is_killed_comes_back(service: str, host: MlflowMachine, account: Account) -> None:
    before = host.restarts(service)
    host.run(f"kill -9 $(systemctl show {service} --property MainPID --value)")
    wait_for(lambda: host.restarts(service) == before + 1, host.journal)
    host.await_health()
    assert host.login("admin", account.passwords["admin"]) == 200


def test_training_of_a_killed_worker_ends_and_is_repeated(host: MlflowMachine, jobs: MachineJobs) -> None:
    with jobs.begun() as job_id:
        training = host.run("pgrep --full training.worker.task").text
        host.run("kill -9 $(systemctl show offpath-trainer --property MainPID --value)")

    done = jobs.wait(job_id, lambda job: job.ended)
    assert (done.state, done.attempts) == ("succeeded", 2)
    assert host.run(f"ps -p {training}", check=False).code == 1


def test_worker_survives_a_training_that_takes_too_much_memory(host: MlflowMachine, jobs: MachineJobs) -> None:
    main, limit = (
        "systemctl show offpath-trainer --property MainPID --value",
        "systemctl set-property --runtime offpath-trainer",
    )
    worker = host.run(main).text
    host.run(f"{limit} MemoryMax=200M")
    job = jobs.run("iris")
    host.run(f"{limit} MemoryMax=40%")

    assert job.state == "failed"
    assert job.error
    assert "ran out of memory" in job.error
    assert jobs.run("iris").state == "succeeded"
    assert host.run(main).text == worker


def test_a_server_that_hangs_is_started_anew(host: MlflowMachine) -> None:
    main = "systemctl show offpath-mlflow --property MainPID --value"
    pid = host.run(main).text
    # What the timer does, without waiting for it.
    host.run("systemctl stop offpath-health.timer; mkdir -p /run/offpath-health")
    look, impatient = "/usr/local/sbin/offpath-health", {"OFFPATH_HEALTH_GRACE_SECONDS": "0"}
    host.run("systemctl kill --signal STOP offpath-mlflow")
    assert host.run(look).text == ""  # it has only just been started
    looks = [host.run(look, environ=impatient).text for _ in range(3)]
    host.run("systemctl start offpath-health.timer")

    assert looks == [f"MLflow does not answer ({count} of 3)" for count in (1, 2, 3)]
    assert host.run(main).text != pid
    host.await_health()


def test_set_up_again_changes_nothing_but_takes_up_new_passwords(
    host: MlflowMachine, account: Account, database: DatabaseMachine, jobs: MachineJobs
) -> None:
    ca, old = account.published_ca(), account.passwords["admin"]
    account.rotate("admin")
    account.rotate("trainer")
    with jobs.begun() as job_id:
        again = host.set_up()

    assert "installing" not in again.text
    assert account.published_ca() == ca
    assert host.login("admin", account.passwords["admin"]) == 200
    assert host.login("admin", old) == 401
    handed_back = jobs.wait(job_id, lambda job: job.ended)
    assert (handed_back.state, handed_back.attempts) == ("succeeded", 1)
    assert {f"tr-{trace}" for trace in TRACES} <= stored_traces(database, "postgres")


def test_another_version_is_gone_to_and_back_from(host: MlflowMachine, account: Account) -> None:
    newer = "/opt/offpath/host-2"
    host.run(f"""set -e
        cp -r {FOLDER} {newer}
        echo '# another' >>{newer}/requirements.txt
        cp -r "$(readlink /opt/offpath/venv)" /opt/offpath/venv-$(sha256sum {newer}/requirements.txt | cut -c 1-12)
        mkdir /opt/offpath/venv-forgotten""")
    environments = [host.run("readlink /opt/offpath/venv").text]
    for folder in (newer, FOLDER):
        done = host.set_up(folder)
        assert "only a backup of the database undoes that" in done.text
        assert host.run("readlink /opt/offpath/current").text == folder
        assert host.login("admin", account.passwords["admin"]) == 200
        environments.append(host.run("readlink /opt/offpath/venv").text)

    assert environments[0] == environments[2] != environments[1]
    assert set(host.run("ls -d /opt/offpath/venv-*").text.split()) == set(environments)


def test_without_its_database_the_server_waits_for_it(
    host: MlflowMachine, database: DatabaseMachine, account: Account
) -> None:
    database.run("systemctl stop postgresql")
    host.run("systemctl restart offpath-mlflow")
    wait_for(lambda: "Connection refused" in host.run("journalctl -u offpath-mlflow -n 5").text, host.journal)
    database.run("systemctl start postgresql")
    host.await_health()
    assert host.login("admin", account.passwords["admin"]) == 200


def test_it_runs_over_mariadb_too_and_without_a_training_worker(
    host: MlflowMachine, account: Account, database: DatabaseMachine, functions_see: pytest.MonkeyPatch
) -> None:
    host.configure("mysql", training_queue_url="")
    host.set_up()
    functions_see.setenv("OFFPATH_MLFLOW_SECRET", "writer")

    assert write_sample_batch() == {"batchItemFailures": []}

    assert {f"tr-{trace}" for trace in TRACES} <= stored_traces(database, "mysql")
    assert host.login("admin", account.passwords["admin"]) == 200
    assert host.login("admin", "wrong") == 401
    worker = "systemctl is-enabled offpath-trainer; systemctl is-active offpath-trainer"
    assert host.run(worker, check=False).text.split() == ["disabled", "inactive"]


def test_a_domain_gets_its_certificate_by_itself(
    host: MlflowMachine, database: DatabaseMachine, jobs: MachineJobs
) -> None:
    acme.start(database)
    host.configure("mysql", domain=DOMAIN, acme_server=acme.DIRECTORY)
    done = host.set_up()

    assert f"https://{DOMAIN}" in done.text
    ask = "curl --silent --output /dev/null --write-out '%{http_code} %{redirect_url}' --cacert"
    assert database.run(f"{ask} /root/acme-root.pem https://{DOMAIN}/health").text == "200"
    assert database.run(f"{ask} /root/mlflow-ca.pem https://mlflow.internal/health").text == "200"
    assert database.run(f"{ask} /root/acme-root.pem http://{DOMAIN}/x").text == f"301 https://{DOMAIN}/x"
    again = host.run("systemctl start offpath-tls && journalctl --unit offpath-tls --no-pager").text
    assert again.count("got a certificate") == 1
    trained = jobs.run("iris", alias="champion").result
    assert trained
    assert trained.version_url == f"https://{DOMAIN}/#/models/iris/versions/1"
