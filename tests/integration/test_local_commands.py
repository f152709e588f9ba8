"""Run `python -m local`: it refuses before anything starts, and asks its own servers."""

import json
import signal
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from rich.console import Console

from local import commands
from local.errors import CommandRefused, Interrupted
from local.ports import row_of_free_ports
from local.settings import S3_PORTS, LocalSettings
from local.stack import lock, web
from local.stack.first_prediction import IRIS, has_models, predict, request_for, served_model, trace_link
from local.stack.home import Home
from local.stack.preflight import check_ports
from local.stack.seaweedfs import has_volumes
from local.stack.signals import Interrupts
from offpath.contracts.errors import Transient
from tests.support.servers.stack import stack_environment, start_command


def free_settings() -> LocalSettings:
    first = row_of_free_ports(len(S3_PORTS) + 3)
    return LocalSettings(api_port=first, mlflow_port=first + 1, sqs_port=first + 2, s3_port=first + 3)


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def test_a_port_in_use_is_named_with_holder_and_setting(taken: int) -> None:
    check_ports(free_settings())
    with pytest.raises(
        CommandRefused, match=rf"port {taken} of 127.0.0.1 is in use by process \d+ \(.+\): mlflow needs it"
    ) as no:
        check_ports(free_settings().model_copy(update={"mlflow_port": taken}))
    assert "set OFFPATH_MLFLOW_PORT to a free port" in str(no.value)


def test_a_port_in_use_within_s3s_row_names_the_row(taken: int) -> None:
    with pytest.raises(CommandRefused, match="set OFFPATH_S3_PORT to the first of 8 free ports in a row"):
        check_ports(free_settings().model_copy(update={"s3_port": taken - 2}))


def test_a_port_that_two_services_want_is_named_with_both(taken: int) -> None:
    settings = free_settings()
    with pytest.raises(CommandRefused, match=r"wanted twice: sqs \(OFFPATH_SQS_PORT\) and master \(OFFPATH_S3_PORT\)"):
        check_ports(settings.model_copy(update={"sqs_port": settings.s3_port + 3}))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"OFFPATH_API_PORT": "eighty"}, "OFFPATH_API_PORT='eighty': input should be a valid integer"),
        ({"OFFPATH_HOME": "/proc/nowhere"}, "OFFPATH_HOME=/proc/nowhere cannot be written"),
    ],
)
def test_up_refuses_with_a_message_and_no_traceback(tmp_path: Path, changes: dict[str, str], message: str) -> None:
    command = start_command(tmp_path / "up.log", stack_environment(tmp_path / "home") | changes, "local", "up")
    assert command.exit_code() == 1
    assert message in command.text
    assert "Traceback" not in command.text


def test_up_starts_nothing_when_a_port_is_in_use(tmp_path: Path, taken: int) -> None:
    environ = stack_environment(tmp_path / "home") | {"OFFPATH_SQS_PORT": str(taken)}
    command = start_command(tmp_path / "up.log", environ, "local", "up")
    assert command.exit_code() == 1
    assert f"port {taken} of 127.0.0.1 is in use" in command.text
    assert list(Home(tmp_path / "home").logs.iterdir()) == []


def test_down_says_that_nothing_runs(tmp_path: Path) -> None:
    settings, console = LocalSettings(home=tmp_path), Console(record=True, width=200)
    assert commands.down(settings, console) == 0
    assert f"no stack is running on {tmp_path}" in console.export_text()


def test_a_running_stack_is_left_alone(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.prepare()
    with lock.held(home.lock):
        command = start_command(tmp_path / "up.log", stack_environment(home.path), "local", "up")
        assert command.exit_code() == 1
    assert "a stack is running" in command.text


def test_signals_are_counted() -> None:
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    interrupts = Interrupts()
    try:
        interrupts.install()
        interrupts.check()
        for number in before:
            signal.raise_signal(number)
        assert interrupts.count == 3
        with pytest.raises(Interrupted):
            interrupts.check()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@dataclass
class Site:
    """Tell a server what its paths answer: a status and JSON, or bytes. posted: what it was sent."""

    port: int
    answers: dict[str, tuple[int, object]] = field(default_factory=dict)
    posted: list[object] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def settings(self) -> LocalSettings:
        return LocalSettings(api_port=self.port, mlflow_port=self.port)


class SiteServer(ThreadingHTTPServer):
    """Serve a site on a free port."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), SiteHandler)
        self.site = Site(self.server_port)


class SiteHandler(BaseHTTPRequestHandler):
    server: SiteServer

    def do_GET(self) -> None:
        status, content = self.server.site.answers.get(self.path.split("?")[0], (404, {}))
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        self.server.site.posted.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
        self.do_GET()

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def site() -> Iterator[Site]:
    with SiteServer() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.site
        server.shutdown()
        thread.join()
    web.POOL.clear()


def test_an_answer_and_a_good_answer_are_told_apart(site: Site, nowhere: str) -> None:
    site.answers["/health"] = (503, {})
    assert web.answers(f"{site.url}/health")
    assert not web.succeeds(f"{site.url}/health")
    assert not web.answers(nowhere)
    assert not web.succeeds(nowhere)


def test_an_answer_that_cannot_be_used_is_transient(site: Site) -> None:
    site.answers |= {"/page": (200, b"<html>"), "/refused": (422, {"detail": "sepal_length is missing"})}
    with pytest.raises(Transient, match=r"GET .*/page"):
        web.fetch(f"{site.url}/page")
    with pytest.raises(Transient, match=r"POST .*/refused: 422 .*sepal_length is missing"):
        web.fetch(f"{site.url}/refused", {})


def test_the_first_model_is_preferred_to_others_that_are_served(site: Site) -> None:
    assert served_model(site.settings) is None
    models = {"abalone": {"state": "serving"}, "iris": {"state": "failed"}}
    site.answers["/health"] = (200, {"status": "degraded", "models": models})
    assert served_model(site.settings) == "abalone"
    models["iris"]["state"] = "serving"
    assert served_model(site.settings) == "iris"


@pytest.mark.parametrize(
    ("example", "sent"), [(None, IRIS), (dict.fromkeys(IRIS, 1.0), IRIS), ({"text": "fine"}, {"text": "fine"})]
)
def test_the_readmes_record_or_the_models_example_is_sent(
    site: Site, example: dict[str, object] | None, sent: dict[str, object]
) -> None:
    site.answers |= {"/models/m": (200, {"input_example": example}), "/models/m/predict": (200, {"trace_id": "tr-1"})}
    assert predict(site.settings, request_for(site.settings, "m")) == "tr-1"
    assert site.posted == [{"inputs": [sent]}]


def test_a_trace_has_a_page_once_mlflow_has_it(site: Site) -> None:
    assert trace_link(site.settings, "tr-1") is None
    location = {"mlflow_experiment": {"experiment_id": "7"}}
    site.answers["/api/3.0/mlflow/traces/tr-1"] = (200, {"trace": {"trace_info": {"trace_location": location}}})
    assert trace_link(site.settings, "tr-1") == f"{site.url}/#/experiments/7/traces/tr-1"


def test_an_empty_registry_has_no_models(site: Site) -> None:
    search = "/api/2.0/mlflow/registered-models/search"
    site.answers[search] = (200, {})
    assert not has_models(site.settings)
    site.answers[search] = (200, {"registered_models": [{"name": "iris"}]})
    assert has_models(site.settings)


def test_s3_is_ready_when_its_volumes_are_known(site: Site) -> None:
    assert not has_volumes(f"{site.url}/dir/status")
    site.answers["/dir/status"] = (200, {"Topology": {"DataCenters": None}})
    assert not has_volumes(f"{site.url}/dir/status")
    site.answers["/dir/status"] = (200, {"Topology": {"DataCenters": [{"Racks": [{"DataNodes": [{"Volumes": 14}]}]}]}})
    assert has_volumes(f"{site.url}/dir/status")
