"""The manifest is the same bytes for the same registry, and an entry that cannot be read costs that entry alone."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.testbed.models import iris_version, manifest_of, sum_version
from offpath.contracts.errors import ManifestError, UnknownSchema
from offpath.contracts.model_manifest import Column, Manifest, RegisteredModel, Signature, Tensor
from tests.support.builders.text_models import text_model

TENSORS = Signature(inputs=(Tensor(dtype="float32", shape=(-1, 4)),))
FLOWERS = iris_version("2", signature=TENSORS, input_example=[[1.0, 2.0, 3.0, 4.0]])
SEVERAL = Manifest(
    models={
        "iris": RegisteredModel(aliases={"champion": iris_version(), "next": FLOWERS}),
        "reviews": RegisteredModel(aliases={"champion": text_model().version}),
        "sum": RegisteredModel(aliases={"champion": sum_version(), "old": sum_version()}),
    }
)
PLACES = [(name, alias) for name, model in SEVERAL.models.items() for alias in model.aliases]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


def document() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(SEVERAL.to_json())
    return loaded


def test_a_manifest_is_read_as_it_was_written() -> None:
    assert Manifest.parse(SEVERAL.to_json()) == SEVERAL


def test_order_does_not_change_its_bytes() -> None:
    one, other = manifest_of(a=iris_version(), b=sum_version()), manifest_of(b=sum_version(), a=iris_version())
    assert one.to_json() == other.to_json()
    swapped = {"iris": RegisteredModel(aliases=dict(reversed(SEVERAL.models["iris"].aliases.items())))}
    assert Manifest(models=SEVERAL.models | swapped).to_json() == SEVERAL.to_json()


@given(place=st.sampled_from(PLACES), entry=JSON)
def test_unreadable_alias_costs_itself_and_is_written_back(place: tuple[str, str], entry: Any) -> None:
    name, alias = place
    damaged = document()
    damaged["models"][name]["aliases"][alias] = entry
    content = json.dumps(damaged).encode()

    read = Manifest.parse(content)

    assert [*read.models[name].unreadable] == [alias]
    expected = {(n, a): version for n, model in SEVERAL.models.items() for a, version in model.aliases.items()}
    del expected[place]
    assert {(n, a): version for n in read.models for a, version in read.aliases(n).items()} == expected
    assert json.loads(read.to_json()) == damaged


@given(name=st.sampled_from([*SEVERAL.models]), entry=JSON)
def test_unreadable_model_costs_itself_and_is_written_back(name: str, entry: Any) -> None:
    damaged = document()
    damaged["models"][name] = entry
    read = Manifest.parse(json.dumps(damaged).encode())
    assert [*read.unreadable] == [name]
    assert read.models == {other: model for other, model in SEVERAL.models.items() if other != name}
    assert json.loads(read.to_json()) == damaged


@pytest.mark.parametrize(
    ("field", "value", "where"),
    [
        ("task", "ranking", "task"),
        ("signature", {"inputs": [{"name": "when", "type": "datetime"}]}, "signature.inputs.0"),
        ("signature", {"inputs": [{"type": "tensor", "dtype": "bfloat16", "shape": [-1]}]}, "dtype"),
        ("sha256", "short", "sha256"),
    ],
)
def test_reason_names_the_field_that_is_not_readable(field: str, value: Any, where: str) -> None:
    damaged = document()
    damaged["models"]["iris"]["aliases"]["next"][field] = value
    assert where in Manifest.parse(json.dumps(damaged).encode()).models["iris"].unreadable["next"].reason


def test_fields_of_a_later_version_are_kept() -> None:
    later = document()
    later["models"]["iris"]["aliases"]["next"]["quantization"] = {"bits": 8}
    later["models"]["iris"]["aliases"]["next"]["signature"]["inputs"][0]["unit"] = "cm"
    later["models"]["iris"]["owner"] = "botany"
    later["written_by"] = "9.0.0"
    assert json.loads(Manifest.parse(json.dumps(later).encode()).to_json()) == later


def test_optional_fields_are_written_only_where_they_are_set() -> None:
    content = manifest_of(iris=iris_version(), sum=sum_version()).to_json()
    assert b"tokenizer" not in content
    assert b"shadow" not in content
    assert b"unreadable" not in content


@pytest.mark.parametrize(
    ("content", "where"),
    [
        (b"{", "the whole document"),
        (b"[]", "the whole document"),
        (b"{}", "schema"),
        (b'{"schema": 2}', "schema"),
        (b'{"schema": "models/1", "models": []}', "models"),
    ],
)
def test_no_manifest_is_refused_with_the_place(content: bytes, where: str) -> None:
    with pytest.raises(ManifestError, match=where):
        Manifest.parse(content)


@pytest.mark.parametrize("content", [b'{"schema": "models/2"}', b'{"schema": "models/2", "models": []}'])
def test_manifest_of_a_newer_schema_is_left_alone(content: bytes) -> None:
    with pytest.raises(UnknownSchema, match="models/2"):
        Manifest.parse(content)


def test_a_signature_is_of_columns_or_of_tensors() -> None:
    with pytest.raises(ValueError, match="columns and tensors"):
        Signature(inputs=(Column(name="a", type="double"), Tensor(name="b", dtype="int8", shape=(-1,))))
