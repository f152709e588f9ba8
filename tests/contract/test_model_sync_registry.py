"""The registry in memory behaves as MLflow does."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

import pytest
from mlflow import MlflowClient

from model_sync.adapters.mlflow_registry import MlflowRegistry
from model_sync.ports import Registry, Unservable
from offpath.contracts.names import UNIT_TAG
from offpath.mlflow.http import MlflowHttp
from tests.support.fakes.registry import FakeRegistry


class Shelf(Protocol):
    """A registry, and the way to put versions on it."""

    @property
    def registry(self) -> Registry: ...
    def add(self, name: str, files: Mapping[str, bytes]) -> str: ...
    def point(self, name: str, alias: str, number: str) -> None: ...
    def tag(self, name: str, key: str, value: str) -> None: ...
    def describe(self, name: str, number: str, *, description: str, unit: str) -> None: ...


class ShelfInMemory:
    def __init__(self) -> None:
        self.registry = FakeRegistry()

    def add(self, name: str, files: Mapping[str, bytes]) -> str:
        number = str(sum(1 for registered, _ in self.registry.versions if registered == name) + 1)
        self.registry.add(name, files, number=number)
        return number

    def point(self, name: str, alias: str, number: str) -> None:
        self.registry.point(name, alias, number)

    def tag(self, name: str, key: str, value: str) -> None:
        self.registry.tag(name, **{key: value})

    def describe(self, name: str, number: str, *, description: str, unit: str) -> None:
        self.registry.describe(name, number, description=description, unit=unit)


class MlflowShelf:
    def __init__(self, url: str, folder: Path) -> None:
        self.registry = MlflowRegistry(MlflowHttp(url))
        self._client = MlflowClient(url)
        self._folder = folder

    def add(self, name: str, files: Mapping[str, bytes]) -> str:
        experiment = self._client.create_experiment(f"contract-{uuid.uuid4().hex}")
        run = self._client.create_run(experiment)
        for path, content in files.items():
            (self._folder / path).write_bytes(content)
            self._client.log_artifact(run.info.run_id, str(self._folder / path), "model")
        if not self._client.search_registered_models(f"name = '{name}'"):
            self._client.create_registered_model(name)
        source = f"{run.info.artifact_uri}/model"
        return str(self._client.create_model_version(name, source, run_id=run.info.run_id).version)

    def point(self, name: str, alias: str, number: str) -> None:
        self._client.set_registered_model_alias(name, alias, number)

    def tag(self, name: str, key: str, value: str) -> None:
        self._client.set_registered_model_tag(name, key, value)

    def describe(self, name: str, number: str, *, description: str, unit: str) -> None:
        self._client.update_model_version(name, number, description)
        self._client.set_model_version_tag(name, number, UNIT_TAG, unit)


@pytest.fixture(params=["fake", "mlflow"])
def shelf(request: pytest.FixtureRequest, tmp_path: Path) -> Shelf:
    makers: dict[str, Callable[[], Shelf]] = {
        "fake": ShelfInMemory,
        "mlflow": lambda: MlflowShelf(request.getfixturevalue("mlflow_url"), tmp_path),
    }
    return makers[request.param]()


@pytest.fixture
def name() -> str:
    return f"model {uuid.uuid4().hex[:8]}"


def test_a_model_is_listed_with_its_aliases(shelf: Shelf, name: str) -> None:
    shelf.add(name, {})
    second = shelf.add(name, {})
    shelf.point(name, "champion", second)
    shelf.point(name, "staging", "1")
    listed = {entry.name: dict(entry.aliases) for entry in shelf.registry.models()}
    assert listed[name] == {"champion": "2", "staging": "1"}


def test_a_model_without_an_alias_is_listed(shelf: Shelf, name: str) -> None:
    shelf.add(name, {})
    assert {entry.name: dict(entry.aliases) for entry in shelf.registry.models()}[name] == {}


def test_a_model_is_listed_with_its_tags(shelf: Shelf, name: str) -> None:
    shelf.add(name, {})
    shelf.tag(name, "offpath.weight.challenger", "10")
    shelf.tag(name, "offpath.weight.challenger", "20")
    shelf.tag(name, "empty", "")
    listed = {entry.name: dict(entry.tags) for entry in shelf.registry.models()}
    assert listed[name] == {"offpath.weight.challenger": "20", "empty": ""}


def test_a_version_and_its_files(shelf: Shelf, name: str) -> None:
    shelf.add(name, {"MLmodel": b"flavors: {}", "model.onnx": b"\x00\xff"})
    version = shelf.registry.version(name, "1")
    assert (version.name, version.number, version.ready) == (name, "1", True)
    assert version.source
    assert version.run_id
    assert shelf.registry.artifact(version, "MLmodel") == b"flavors: {}"
    assert shelf.registry.artifact(version, "model.onnx") == b"\x00\xff"


def test_a_version_says_what_it_is_and_in_which_unit(shelf: Shelf, name: str) -> None:
    shelf.add(name, {})
    assert (shelf.registry.version(name, "1").description, shelf.registry.version(name, "1").unit) == ("", "")
    shelf.describe(name, "1", description="on SYNTHETIC data", unit="rings")
    version = shelf.registry.version(name, "1")
    assert (version.description, version.unit) == ("on SYNTHETIC data", "rings")


def test_two_versions_have_two_sources(shelf: Shelf, name: str) -> None:
    shelf.add(name, {})
    shelf.add(name, {})
    assert shelf.registry.version(name, "1").source != shelf.registry.version(name, "2").source


def test_what_is_not_there_is_unservable(shelf: Shelf, name: str) -> None:
    shelf.add(name, {"MLmodel": b"flavors: {}"})
    with pytest.raises(Unservable):
        shelf.registry.version(name, "9")
    with pytest.raises(Unservable):
        shelf.registry.version(f"{name} not", "1")
    with pytest.raises(Unservable):
        shelf.registry.artifact(shelf.registry.version(name, "1"), "model.onnx")
