"""A sync publishes versions, keeps others, skips some, and refuses to touch what it cannot read."""

import hashlib
import json
from dataclasses import dataclass

import pytest

from model_sync.file_checks import MAX_TOKENIZER_BYTES
from model_sync.publisher import ModelPublisher
from model_sync.sync import ModelSync, Report
from offpath.contracts.errors import Transient
from offpath.contracts.model_manifest import Manifest, PublishedFile, Tensor
from offpath.contracts.names import MANIFEST_KEY
from offpath.testing import InMemoryBucket
from tests.support.builders.model_files import (
    IRIS_COLUMNS,
    IRIS_EXAMPLE,
    IRIS_LABELS,
    TOKENIZER,
    mlmodel,
    model_files,
    onnx_file,
    text_model_files,
)
from tests.support.fakes.registry import FakeRegistry


@dataclass
class World:
    registry: FakeRegistry
    files: InMemoryBucket

    def sync(self) -> Report:
        return ModelSync(self.registry, self.files, ModelPublisher(self.registry, self.files, 1_000_000)).run()

    def manifest(self) -> Manifest:
        return Manifest.parse(self.files.objects[MANIFEST_KEY])


@pytest.fixture
def world() -> World:
    """A registry whose iris version 1 is champion, and an empty bucket."""
    registry = FakeRegistry()
    registry.add("iris", model_files(), description="flowers")
    registry.point("iris", "champion", "1")
    return World(registry, InMemoryBucket())


def test_a_version_is_published_with_everything_that_serving_needs(world: World) -> None:
    report = world.sync()

    content = onnx_file()
    digest = hashlib.sha256(content).hexdigest()
    champion = world.manifest().models["iris"].aliases["champion"]
    assert report == Report(changed=True, models={"iris": {"champion": "1"}}, skipped={})
    assert world.files.objects[champion.key] == content
    assert (champion.key, champion.sha256, champion.bytes) == (f"models/sha256/{digest}.onnx", digest, len(content))
    assert (champion.number, champion.run_id, champion.weight) == ("1", "run-1", 100)
    assert (champion.task, list(champion.labels)) == ("classification", IRIS_LABELS)
    assert tuple(column.name for column in champion.signature.inputs) == IRIS_COLUMNS
    assert champion.input_example == IRIS_EXAMPLE
    assert world.manifest().models["iris"].description == "flowers"


def test_what_a_version_says_of_itself_is_published_anew(world: World) -> None:
    world.registry.describe("iris", "1", description="on SYNTHETIC data", unit="cm")
    world.sync()
    champion = world.manifest().models["iris"].aliases["champion"]
    assert (champion.description, champion.unit) == ("on SYNTHETIC data", "cm")
    world.registry.describe("iris", "1", description="x" * 5_000, unit="cm")
    assert world.sync().changed
    assert world.manifest().models["iris"].aliases["champion"].description == "x" * 1_000


def test_the_manifest_is_written_after_the_file_it_names(world: World) -> None:
    world.sync()
    assert world.files.written[-1] == MANIFEST_KEY
    assert len(world.files.written) == 2


def test_a_second_sync_writes_nothing_and_fetches_nothing(world: World) -> None:
    world.sync()
    world.files.written.clear()
    world.registry.fetched.clear()

    report = world.sync()

    assert report == Report(changed=False, models={"iris": {"champion": "1"}}, skipped={})
    assert world.files.written == []
    assert world.registry.fetched == []


def test_moved_alias_changes_manifest_and_keeps_old_file(world: World) -> None:
    world.sync()
    old = world.manifest().models["iris"].aliases["champion"]
    world.registry.add("iris", model_files("better"), number="2")
    world.registry.point("iris", "champion", "2")

    report = world.sync()

    assert (report.changed, report.models) == (True, {"iris": {"champion": "2"}})
    assert world.files.exists(old.key)
    assert world.manifest().models["iris"].aliases["champion"].key != old.key


def test_aliases_of_one_version_share_its_file(world: World) -> None:
    world.registry.point("iris", "staging", "1")
    world.sync()
    aliases = world.manifest().models["iris"].aliases
    assert {alias: (version.number, version.weight) for alias, version in aliases.items()} == {
        "champion": ("1", 100),
        "staging": ("1", 0),
    }
    assert len(world.registry.fetched) == 3
    assert aliases["champion"].key == aliases["staging"].key


def test_the_same_file_under_two_names_is_stored_once(world: World) -> None:
    world.registry.add("copy", model_files())
    world.registry.point("copy", "champion", "1")
    world.sync()
    assert len([key for key in world.files.written if key.endswith(".onnx")]) == 1


def test_missing_file_is_published_again(world: World) -> None:
    world.sync()
    key = world.manifest().models["iris"].aliases["champion"].key
    del world.files.objects[key]

    report = world.sync()

    assert world.files.exists(key)
    assert not report.changed


def test_same_number_of_a_recreated_model_is_another_version(world: World) -> None:
    world.sync()
    world.registry.add("iris", model_files("second life"), source="models:/m-other")

    assert world.sync().changed
    champion = world.manifest().models["iris"].aliases["champion"]
    assert world.files.objects[champion.key] == onnx_file("second life")


def test_an_alias_that_is_taken_away_leaves_the_manifest(world: World) -> None:
    world.registry.add("abalone", model_files("abalone"))
    world.registry.point("abalone", "champion", "1")
    world.sync()
    del world.registry.entries["iris"]
    assert world.sync().models == {"abalone": {"champion": "1"}}


def test_model_without_alias_is_reported_as_skipped(world: World) -> None:
    world.registry.add("draft", model_files())
    report = world.sync()
    assert report.models == {"iris": {"champion": "1"}}
    assert "no alias" in report.skipped["draft"]


def test_a_registry_without_models_gives_an_empty_manifest() -> None:
    world = World(FakeRegistry(), InMemoryBucket())
    assert world.sync() == Report(changed=True, models={}, skipped={})
    assert world.manifest().models == {}


def test_a_registry_that_lost_every_model_does_not_end_predictions(world: World) -> None:
    world.sync()
    before = dict(world.files.objects)
    world.registry.entries.clear()
    with pytest.raises(Transient, match=f"delete {MANIFEST_KEY}$"):
        world.sync()
    assert world.files.objects == before


def test_a_registry_that_is_down_leaves_everything_as_it_was(world: World) -> None:
    world.sync()
    before = dict(world.files.objects)
    world.registry.down = True
    with pytest.raises(Transient, match="down"):
        world.sync()
    assert world.files.objects == before


def test_a_damaged_manifest_is_written_anew(world: World) -> None:
    world.files.objects[MANIFEST_KEY] = b"{"
    report = world.sync()
    assert (report.changed, report.models) == (True, {"iris": {"champion": "1"}})
    assert "written anew" in report.skipped[MANIFEST_KEY]


def test_what_cannot_be_served_does_not_stop_the_others(world: World) -> None:
    world.registry.add("pending", model_files(), ready=False)
    world.registry.add("lost", {"MLmodel": mlmodel()})
    world.registry.add("empty", {**model_files(), "model.onnx": b""})
    world.registry.add("huge", model_files(model_size_bytes=1_000_001))
    for name in ("pending", "lost", "empty", "huge"):
        world.registry.point(name, "champion", "1")
    world.registry.point("iris", "next", "7")

    report = world.sync()

    assert report.models == {"iris": {"champion": "1"}}
    assert {name: reason.partition(": ")[2][:25] for name, reason in report.skipped.items()} == {
        "pending@champion": "it is not ready: the regi",
        "lost@champion": "no file model.onnx",
        "empty@champion": "its ONNX file is empty: l",
        "huge@champion": "its 1000001 bytes are ove",
        "iris@next": "no version 7 of iris",
    }


def test_alias_moved_to_unservable_version_keeps_the_old_one(world: World) -> None:
    world.sync()
    world.registry.add("iris", {}, number="2")
    world.registry.point("iris", "champion", "2")

    report = world.sync()

    assert (report.changed, report.models) == (False, {"iris": {"champion": "1"}})
    assert report.skipped == {"iris@champion": "version 2: no file MLmodel; version 1 stays"}


@pytest.mark.parametrize("example", [b"not json", b"[1, 2]", b'{"other": 1}', None])
def test_an_example_that_does_not_fit_is_left_out(world: World, example: bytes | None) -> None:
    files = model_files() | ({"input_example.json": example} if example else {})
    if example is None:
        del files["input_example.json"]
    world.registry.add("iris", files)
    assert world.sync().models == {"iris": {"champion": "1"}}
    assert world.manifest().models["iris"].aliases["champion"].input_example is None


def test_tensor_model_is_published_with_its_first_example(world: World) -> None:
    spec = {"type": "tensor", "tensor-spec": {"dtype": "float32", "shape": [-1, 4]}}
    files = model_files("flowers", signature={"inputs": json.dumps([spec])})
    files["input_example.json"] = json.dumps({"inputs": [[1, 2, 3, 4], [5, 6, 7, 8]]}).encode()
    world.registry.add("flowers", files)
    world.registry.point("flowers", "champion", "1")

    assert world.sync().models == {"flowers": {"champion": "1"}, "iris": {"champion": "1"}}
    champion = world.manifest().models["flowers"].aliases["champion"]
    assert champion.signature.tensors == (Tensor(dtype="float32", shape=(-1, 4)),)
    assert champion.input_example == [[1, 2, 3, 4]]
    world.registry.fetched.clear()
    assert not world.sync().changed
    assert world.registry.fetched == []


def weights(world: World) -> dict[str, int]:
    return {alias: version.weight for alias, version in world.manifest().models["iris"].aliases.items()}


def test_traffic_tags_change_shares_without_fetching(world: World) -> None:
    world.registry.add("iris", model_files("better"), number="2")
    world.registry.point("iris", "challenger", "2")
    world.sync()
    world.registry.fetched.clear()

    world.registry.tag("iris", **{"offpath.weight.challenger": "25", "offpath.shadow": "challenger"})
    assert world.sync().changed
    assert weights(world) == {"champion": 75, "challenger": 25}
    assert world.manifest().models["iris"].aliases["challenger"].shadow
    assert world.registry.fetched == []


def test_unusable_tag_is_reported_and_leaves_traffic_alone(world: World) -> None:
    world.registry.point("iris", "challenger", "1")
    world.registry.tag("iris", **{"offpath.weight.challenger": "25"})
    world.sync()
    world.registry.tag("iris", **{"offpath.weight.challenger": "a quarter"})

    report = world.sync()

    assert not report.changed
    assert weights(world) == {"champion": 75, "challenger": 25}
    assert "'a quarter'" in report.skipped["iris"]
    assert report.skipped["iris"].endswith("the traffic stays as it was")


def text_world(tokenizer: bytes = TOKENIZER) -> World:
    """A registry whose model `sentiment` reads texts, and an empty bucket."""
    registry = FakeRegistry()
    registry.add("sentiment", text_model_files(tokenizer))
    registry.point("sentiment", "champion", "1")
    return World(registry, InMemoryBucket())


def test_a_tokenizer_is_published_beside_the_graph() -> None:
    world = text_world()
    assert world.sync().skipped == {}
    champion = world.manifest().models["sentiment"].aliases["champion"]
    digest = hashlib.sha256(TOKENIZER).hexdigest()
    assert champion.tokenizer == PublishedFile(key=f"models/sha256/{digest}.json", sha256=digest, bytes=len(TOKENIZER))
    assert world.files.objects[champion.tokenizer.key] == TOKENIZER
    assert world.files.written[-1] == MANIFEST_KEY
    assert not world.sync().changed


@pytest.mark.parametrize("kind", [".onnx", ".json"])
def test_either_missing_file_is_published_again(kind: str) -> None:
    world = text_world()
    world.sync()
    [key] = [key for key in world.files.objects if key.endswith(kind) and key != MANIFEST_KEY]
    del world.files.objects[key]
    assert not world.sync().changed
    assert world.files.exists(key)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"\xff", "not JSON"),
        (b"[" * 200_000, "not JSON"),
        (b"[]", "not as tokenizers.Tokenizer.save writes it"),
        (b'{"vocab": {}}', "not as tokenizers.Tokenizer.save writes it"),
        (b" " * (MAX_TOKENIZER_BYTES + 1), "are over 33554432"),
    ],
)
def test_a_tokenizer_that_is_none_is_not_published(content: bytes, reason: str) -> None:
    world = text_world(content)
    assert reason in world.sync().skipped["sentiment@champion"]
    assert world.files.written == [MANIFEST_KEY]


def test_a_tokenizer_that_is_named_and_not_there() -> None:
    world = text_world()
    files = {path: content for path, content in text_model_files().items() if path != "tokenizer.json"}
    world.registry.add("sentiment", files)
    assert "no file tokenizer.json" in world.sync().skipped["sentiment@champion"]
