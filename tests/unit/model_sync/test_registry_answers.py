"""The registry's adapter reads MLflow's answers, good and bad."""

import json
from typing import Any

import pytest

from model_sync.adapters.mlflow_registry import MlflowRegistry
from model_sync.ports import Unservable, Version
from offpath.contracts.errors import Transient
from offpath.mlflow.http import Answer

VERSION = Version("my model", "3", ready=True, source="models:/m-1", run_id=None)


class Scripted:
    """An MLflow server that gives prepared answers, one after the other."""

    def __init__(self, *answers: tuple[int, Any]) -> None:
        self.answers = list(answers)
        self.paths: list[str] = []

    def request(self, method: str, path: str) -> Answer:
        self.paths.append(f"{method} {path}")
        status, body = self.answers.pop(0)
        return Answer(status, {}, body if isinstance(body, bytes) else json.dumps(body).encode())


def test_models_are_read_page_by_page() -> None:
    alias = {"alias": "champion", "version": "1"}
    server = Scripted(
        (200, {"registered_models": [{"name": "a", "aliases": [alias]}], "next_page_token": "t/2"}),
        (200, {"registered_models": [{"name": "b", "description": "second"}]}),
    )
    found = list(MlflowRegistry(server).models())
    assert [(entry.name, entry.description, dict(entry.aliases)) for entry in found] == [
        ("a", "", {"champion": "1"}),
        ("b", "second", {}),
    ]
    assert "page_token=t%2F2" in server.paths[1]


def test_names_are_quoted() -> None:
    server = Scripted((200, b"content"))
    assert MlflowRegistry(server).artifact(VERSION, "MLmodel") == b"content"
    assert server.paths == ["GET /model-versions/get-artifact?name=my+model&version=3&path=MLmodel"]


@pytest.mark.parametrize(("status", "ready"), [("READY", True), ("PENDING_REGISTRATION", False), ("", False)])
def test_only_a_version_with_status_ready_is(status: str, ready: bool) -> None:
    version = {"name": "a", "version": "1", "status": status, "source": "models:/m-1"}
    server = Scripted((200, {"model_version": version}))
    assert MlflowRegistry(server).version("a", "1") == Version("a", "1", ready, "models:/m-1", None)


@pytest.mark.parametrize("status", [400, 404, 500])
def test_file_that_mlflow_cannot_return_is_unservable(status: int) -> None:
    server = Scripted((status, {"message": "No such artifact: 'model.onnx'"}))
    with pytest.raises(Unservable, match=f"answered {status} .*path=model.onnx.*No such artifact"):
        MlflowRegistry(server).artifact(VERSION, "model.onnx")


@pytest.mark.parametrize("status", [302, 401, 403, 408, 429, 502, 503, 504])
def test_any_other_status_says_nothing_about_a_version(status: int) -> None:
    for ask in (
        lambda registry: registry.artifact(VERSION, "MLmodel"),
        lambda registry: registry.version("a", "1"),
        lambda registry: list(registry.models()),
    ):
        with pytest.raises(Transient, match=f"answered {status} .*: please wait"):
            ask(MlflowRegistry(Scripted((status, b"please wait"))))


@pytest.mark.parametrize("body", [b"<html>hello</html>", {"model_version": {}}, []])
def test_something_else_at_mlflows_address(body: Any) -> None:
    with pytest.raises(Transient, match="is that its address"):
        MlflowRegistry(Scripted((200, body))).version("a", "1")


def test_something_else_at_the_address_is_not_an_empty_registry() -> None:
    with pytest.raises(Transient, match="is that its address"):
        list(MlflowRegistry(Scripted((200, b"[]"))).models())
