"""Entries that a newer version published stay, whatever an older one can read of them."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model_sync.publisher import ModelPublisher
from model_sync.sync import ModelSync, Report
from offpath.contracts.errors import Transient
from offpath.contracts.names import MANIFEST_KEY
from offpath.testing import InMemoryBucket
from tests.support.builders.model_files import model_files
from tests.support.fakes.registry import FakeRegistry

SPEC = {"type": "tensor", "tensor-spec": {"dtype": "bfloat16", "shape": [-1, 4]}}
TENSOR = {"name": None, "type": "tensor", "dtype": "bfloat16", "shape": [-1, 4]}
NEWER = {"version": "2", "key": "models/sha256/2.onnx", "weight": 0, "signature": {"inputs": [TENSOR]}}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


def unservable_files() -> dict[str, bytes]:
    """Every file of a version with a tensor of a type that is not known here."""
    return model_files("newer", signature={"inputs": json.dumps([SPEC])})


class World:
    """A registry whose iris has a champion and, as `next`, a version that only a newer model_sync could publish."""

    def __init__(self, next_entry: Any = NEWER) -> None:
        self.registry, self.files = FakeRegistry(), InMemoryBucket()
        self.registry.add("iris", model_files(), description="flowers")
        self.registry.add("iris", unservable_files(), number="2")
        self.registry.point("iris", "champion", "1")
        self.sync()
        self.registry.point("iris", "next", "2")
        self.change(lambda document: document["models"]["iris"]["aliases"].update(next=next_entry))

    def sync(self) -> Report:
        return ModelSync(self.registry, self.files, ModelPublisher(self.registry, self.files, 1_000_000)).run()

    def change(self, change: Any) -> None:
        """Let a newer version have written something else."""
        document = self.manifest()
        change(document)
        self.files.objects[MANIFEST_KEY] = json.dumps(document, indent=2, ensure_ascii=False).encode() + b"\n"
        self.files.written.clear()

    def manifest(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.files.objects[MANIFEST_KEY])
        return found

    def iris(self) -> dict[str, Any]:
        found: dict[str, Any] = self.manifest()["models"]["iris"]
        return found


def test_unreadable_entry_stays_and_nothing_is_written() -> None:
    world = World()
    report = world.sync()
    assert (report.changed, report.models) == (False, {"iris": {"champion": "1"}})
    assert report.skipped["iris@next"].endswith("version 2, as a newer version of model_sync wrote it, stays")
    assert world.iris()["aliases"]["next"] == NEWER
    assert world.files.written == []


@given(entry=JSON)
def test_any_entry_that_is_not_readable_stays_through_changes(entry: Any) -> None:
    world = World(entry)
    world.registry.point("iris", "other", "1")
    assert world.sync().changed
    assert world.iris()["aliases"]["next"] == entry
    assert not world.sync().changed


def test_an_alias_that_was_taken_away_takes_its_entry_along() -> None:
    world = World()
    world.registry.entries["iris"] = replace(world.registry.entries["iris"], aliases={"champion": "1"})
    assert world.sync().changed
    assert [*world.iris()["aliases"]] == ["champion"]


def test_alias_moved_between_unservable_versions_keeps_its_entry() -> None:
    world = World()
    world.registry.add("iris", unservable_files(), number="3")
    world.registry.point("iris", "next", "3")
    report = world.sync()
    assert report.skipped["iris@next"].startswith("version 3: ")
    assert world.iris()["aliases"]["next"] == NEWER


@pytest.mark.parametrize("number", ["2", "3"])
def test_a_version_that_can_be_published_here_replaces_the_entry(number: str) -> None:
    world = World()
    world.registry.add("iris", model_files("plain"), number=number)
    world.registry.point("iris", "next", number)
    assert world.sync().models == {"iris": {"champion": "1", "next": number}}
    assert world.iris()["aliases"]["next"]["signature"]["inputs"][0]["type"] == "double"


def test_a_model_with_no_readable_alias_stays() -> None:
    world = World()
    world.registry.point("iris", "champion", "2")
    world.change(lambda document: document["models"]["iris"].update(aliases={"champion": NEWER, "next": NEWER}))
    report = world.sync()
    assert (report.changed, report.models) == (False, {})
    assert world.iris()["aliases"] == {"champion": NEWER, "next": NEWER}


def test_an_unreadable_challenger_keeps_its_share_of_the_traffic() -> None:
    world = World({**NEWER, "weight": 25})
    world.registry.tag("iris", **{"offpath.weight.next": "25"})
    world.sync()
    assert {alias: entry["weight"] for alias, entry in world.iris()["aliases"].items()} == {"champion": 75, "next": 25}


@pytest.mark.parametrize("share", [{"weight": 25}, {"weight": {"percent": 25}}])
def test_unusable_tags_leave_each_share_beside_an_unreadable_entry(share: dict[str, Any]) -> None:
    world = World({**NEWER, **share})
    world.change(lambda document: document["models"]["iris"]["aliases"]["champion"].update(weight=75))
    world.registry.tag("iris", **{"offpath.weight.next": "a quarter"})
    report = world.sync()
    assert "the traffic stays as it was" in report.skipped["iris"]
    assert not report.changed
    assert world.iris()["aliases"]["champion"]["weight"] == 75


@given(entry=JSON)
def test_a_model_that_is_not_readable_at_all_stays(entry: Any) -> None:
    world = World()
    world.change(lambda document: document["models"].update(iris=entry))
    report = world.sync()
    assert not report.changed
    assert "as a newer version wrote it" in report.skipped["iris"]
    assert world.manifest()["models"] == {"iris": entry}


def test_publishable_model_replaces_its_unreadable_entry() -> None:
    world = World()
    world.registry.point("iris", "next", "1")
    world.change(lambda document: document["models"].update(iris={"layout": 2}))
    assert world.sync().models == {"iris": {"champion": "1", "next": "1"}}
    assert [*world.iris()["aliases"]] == ["champion", "next"]


@pytest.mark.parametrize(
    ("aliases", "weights"),
    [
        ({"champion": {"weight": 75}, "next": {"weight": 25}}, {"champion": 75, "next": 25}),
        ({"champion": {"weight": 75}, "next": {"percent": 25}}, {"champion": 75, "next": 25}),
        ({"champion": {"weight": 75}}, {"champion": 100, "next": 0}),
        (["champion", "next"], {"champion": 100, "next": 0}),
    ],
)
def test_unusable_tags_leave_an_unreadable_models_shares(aliases: Any, weights: dict[str, int]) -> None:
    world = World()
    world.registry.point("iris", "next", "1")
    world.registry.tag("iris", **{"offpath.weight.next": "a quarter"})
    newer = {"description": {"en": "flowers"}, "aliases": aliases}
    world.change(lambda document: document["models"].update(iris=newer))
    assert "the traffic stays as it was" in world.sync().skipped["iris"]
    assert {alias: entry["weight"] for alias, entry in world.iris()["aliases"].items()} == weights


def test_unregistered_model_goes_with_its_entry() -> None:
    world = World()
    world.registry.add("other", model_files())
    world.registry.point("other", "champion", "1")
    world.change(lambda document: document["models"].update(iris={"layout": 2}))
    del world.registry.entries["iris"]
    world.sync()
    assert [*world.manifest()["models"]] == ["other"]


def test_a_registry_that_lost_every_model_leaves_unreadable_ones() -> None:
    world = World()
    world.change(lambda document: document["models"].update(iris={"layout": 2}))
    world.registry.entries.clear()
    with pytest.raises(Transient, match="no model at all"):
        world.sync()


@pytest.mark.parametrize("models", [{}, {"iris": {}}, ["iris"]])
def test_manifest_of_a_newer_schema_is_reported_and_stays(models: Any) -> None:
    world = World()
    world.registry.point("iris", "other", "1")
    world.change(lambda document: document.update(schema="models/2", models=models))
    report = world.sync()
    assert (report.changed, report.models, [*report.skipped]) == (False, {}, [MANIFEST_KEY])
    assert "'models/2' is not known here" in report.skipped[MANIFEST_KEY]
    assert world.files.written == []


def test_fields_of_a_newer_version_survive_a_change() -> None:
    world = World()

    def later(document: dict[str, Any]) -> None:
        document["written_by"] = "9.0.0"
        document["models"]["iris"]["owner"] = "botany"
        document["models"]["iris"]["aliases"]["champion"]["quantization"] = {"bits": 8}

    world.change(later)
    assert not world.sync().changed
    world.registry.point("iris", "other", "1")
    assert world.sync().changed
    assert (world.manifest()["written_by"], world.iris()["owner"]) == ("9.0.0", "botany")
    assert {entry.get("quantization", {}).get("bits") for entry in world.iris()["aliases"].values()} == {8, None}
