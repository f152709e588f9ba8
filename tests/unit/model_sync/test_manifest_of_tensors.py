"""Tensors in the manifest, and what a reader makes of them that knows none."""

import json

import pytest

from local.testbed.models import iris_version, manifest_of, sum_version
from offpath.contracts.errors import ManifestError
from offpath.contracts.model_manifest import KEY, Column, Manifest, RegisteredModel, Signature, Tensor
from tests.support import manifest_before_tensors

TENSORS = Signature(inputs=(Tensor(dtype="float32", shape=(-1, 4)),))
FLOWERS = iris_version("2", signature=TENSORS, input_example=[[1.0, 2.0, 3.0, 4.0]])


def test_it_reads_what_it_wrote_whether_one_alias_or_all_have_tensors() -> None:
    mixed = RegisteredModel(aliases={"champion": iris_version(), "next": FLOWERS})
    manifest = Manifest(models={"flowers": RegisteredModel(aliases={"champion": FLOWERS}), "mixed": mixed})
    assert Manifest.parse(manifest.to_json()) == manifest


def test_a_manifest_without_tensors_is_written_as_it_was() -> None:
    assert b"tensor" not in manifest_of(iris=iris_version(), sum=sum_version()).to_json()


def test_a_reader_that_knows_no_tensors_serves_all_the_others() -> None:
    mixed = RegisteredModel(aliases={"champion": FLOWERS, "old": iris_version()})
    models = {**manifest_of(iris=iris_version(), flowers=FLOWERS).models, "mixed": mixed}
    content = Manifest(models=models).to_json()
    read = manifest_before_tensors.Manifest.model_validate_json(content)
    assert {name: set(model.aliases) for name, model in read.models.items()} == {
        "iris": {"champion"},
        "flowers": set(),
        "mixed": {"old"},
    }
    assert read.models["iris"].aliases["champion"].model_dump() == iris_version().model_dump()


@pytest.mark.parametrize("change", [{"aliases": []}, {"tensor_aliases": {"champion": {}}}])
def test_damage_is_a_manifests_error(change: dict[str, object]) -> None:
    document = json.loads(manifest_of(flowers=FLOWERS).to_json())
    document["models"]["flowers"] |= change
    with pytest.raises(ManifestError, match=KEY):
        Manifest.parse(json.dumps(document).encode())


def test_a_signature_is_of_columns_or_of_tensors() -> None:
    with pytest.raises(ValueError, match="columns and tensors"):
        Signature(inputs=(Column(name="a", type="double"), Tensor(name="b", dtype="int8", shape=(-1,))))
