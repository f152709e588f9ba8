"""The manifest is the same bytes for the same registry."""

import pytest

from local.testbed.models import iris_version, manifest_of, sum_version
from offpath.contracts.errors import ManifestError
from offpath.contracts.model_manifest import Manifest
from tests.support import manifest_before_tensors
from tests.support.text_models import text_model


def test_it_reads_what_it_wrote() -> None:
    manifest = manifest_of(iris=iris_version(), sum=sum_version())
    assert Manifest.parse(manifest.to_json()) == manifest


def test_order_does_not_change_its_bytes() -> None:
    one, other = manifest_of(a=iris_version(), b=sum_version()), manifest_of(b=sum_version(), a=iris_version())
    assert one.to_json() == other.to_json()


def test_fields_of_a_later_version_are_passed_over() -> None:
    content = manifest_of(iris=iris_version()).to_json().replace(b'"models": {', b'"later": 1, "models": {', 1)
    assert Manifest.parse(content) == manifest_of(iris=iris_version())


def test_a_tokenizer_is_a_field_that_readers_from_before_pass_over_and_others_are_written_without() -> None:
    manifest = manifest_of(iris=iris_version(), worth=text_model().version)
    content = manifest.to_json()
    assert Manifest.parse(content) == manifest
    assert content.count(b"tokenizer") == 1
    before = manifest_before_tensors.Manifest.model_validate_json(content)
    assert before.models["worth"].aliases["champion"].signature.inputs[0].type == "string"


@pytest.mark.parametrize(
    ("content", "where"),
    [
        (b"{", "the whole document"),
        (b'{"schema": "models/2"}', "schema"),
        (manifest_of(iris=iris_version()).to_json().replace(b'"classification"', b'"magic"'), "task"),
    ],
)
def test_what_is_none_says_where(content: bytes, where: str) -> None:
    with pytest.raises(ManifestError, match=where):
        Manifest.parse(content)
