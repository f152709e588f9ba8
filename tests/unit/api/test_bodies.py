"""The bodies that clients send: packed, with a byte-order mark, of another type, with null, with values alone."""

import gzip
import json
import zlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper

from local.testbed.models import SETOSA, graph, model_of
from offpath.contracts.model_manifest import Column, ColumnType
from prediction_api.errors import InvalidInputs, MalformedBody
from prediction_api.http.content_encoding import unpacked
from prediction_api.inputs.json_body import parse_json
from prediction_api.inputs.records import RecordSchema
from tests.support.builders.api import Api
from tests.support.builders.training_api import TrainingApi

BODY = json.dumps({"inputs": [SETOSA]}).encode()
RAW = zlib.compressobj(wbits=-15)
PACKED = {
    "gzip": ("gzip", gzip.compress(BODY)),
    "two members": ("gzip", gzip.compress(BODY[:10]) + gzip.compress(BODY[10:])),
    "x-gzip": ("X-GZIP", gzip.compress(BODY)),
    "deflate": ("deflate", zlib.compress(BODY)),
    "raw deflate": ("deflate", RAW.compress(BODY) + RAW.flush()),
    "identity": ("identity", BODY),
    "with identity": ("identity, gzip", gzip.compress(BODY)),
}
LIMIT = 2_000


@pytest.fixture
def api() -> Api:
    return Api(max_records=5, max_body_bytes=LIMIT)


def post(api: Api, body: bytes, route: str = "predict", **headers: str) -> Any:
    given = {"content-type": "application/json"} | {name.replace("_", "-"): value for name, value in headers.items()}
    return api.client.post(f"/models/iris/{route}", content=body, headers=given)


@pytest.mark.parametrize("route", ["predict", "invocations"])
@pytest.mark.parametrize(("encoding", "body"), PACKED.values(), ids=PACKED)
def test_packed_bodies_are_read(api: Api, route: str, encoding: str, body: bytes) -> None:
    answer = post(api, body, route, content_encoding=encoding)
    assert answer.status_code == 200, answer.text
    root = api.traced.spans()[f"POST /models/{{name}}/{route}"]
    assert json.loads(root["mlflow.spanInputs"]) == {"inputs": [SETOSA]}


@pytest.mark.parametrize("route", ["predict", "invocations"])
@pytest.mark.parametrize("encoding", ["br", "zstd", "gzip, gzip", "compress"])
def test_an_unknown_encoding_is_refused_by_name(api: Api, route: str, encoding: str) -> None:
    answer = post(api, BODY, route, content_encoding=encoding)
    assert answer.status_code == 415
    assert repr(encoding) in answer.text.replace('\\"', "'")
    assert "gzip or deflate" in answer.text
    assert answer.headers["accept-encoding"] == "gzip, deflate"


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
@pytest.mark.parametrize(
    "body",
    [b"", BODY, gzip.compress(BODY)[:-9], zlib.compress(BODY)[:-5]],
    ids=["empty", "not packed", "gzip cut off", "deflate cut off"],
)
def test_what_cannot_be_unpacked_is_refused(api: Api, encoding: str, body: bytes) -> None:
    answer = post(api, body, content_encoding=encoding)
    assert answer.status_code == 400
    assert "the body is not" in answer.json()["detail"]


def test_the_limit_counts_unpacked_bytes(api: Api) -> None:
    packed = gzip.compress(b" " * 50_000_000)
    assert post(api, packed[:LIMIT], content_encoding="gzip").status_code == 413


@given(st.binary(max_size=300), st.sampled_from(["gzip", "deflate"]), st.integers(1, 200))
def test_unpacking_ends_at_the_limit_or_refuses(body: bytes, encoding: str, most: int) -> None:
    for sent in (body, gzip.compress(body), zlib.compress(body)):
        try:
            content = unpacked(sent, encoding, most)
        except MalformedBody:
            continue
        assert len(content) <= most + 1
        assert content == body[: most + 1] or sent == body


@pytest.mark.parametrize("route", ["predict", "invocations"])
def test_a_byte_order_mark_is_passed_over(api: Api, route: str) -> None:
    assert post(api, b"\xef\xbb\xbf" + BODY, route).status_code == 200


@pytest.mark.parametrize(
    "media_type", ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/x-parquet"]
)
def test_another_type_is_named_with_an_example(api: Api, media_type: str) -> None:
    answer = post(api, b"sepal_length=5.1&sepal_width=3.5", content_type=media_type)
    assert answer.status_code == 415
    assert f"expected JSON, got {media_type.partition(';')[0]}" in answer.json()["detail"]
    assert '{"inputs":{"sepal_length":' in answer.json()["detail"]


def test_json_is_read_whatever_its_type_says(api: Api) -> None:
    assert post(api, BODY, content_type="application/x-www-form-urlencoded").status_code == 200


@pytest.mark.parametrize("media_type", ["application/x-parquet", "application/vnd.apache.parquet"])
def test_scoring_says_which_types_it_takes(api: Api, media_type: str) -> None:
    answer = post(api, b"PAR1", "invocations", content_type=media_type)
    assert answer.status_code == 415
    assert "application/json" in answer.json()["message"]
    assert "text/csv" in answer.json()["message"]


@pytest.mark.parametrize("column_type", ["double", "float", "string"])
def test_null_of_an_optional_column_is_left_out(column_type: ColumnType) -> None:
    schema = RecordSchema([Column(name="x", type=column_type, required=False)], max_records=2)
    [null] = schema.read(b'{"inputs": [{"x": null}]}').values["x"]
    [left_out] = schema.read(b'{"inputs": [{}]}').values["x"]
    assert repr(null) == repr(left_out)


@pytest.mark.parametrize("column_type", ["long", "integer"])
@pytest.mark.parametrize(("text", "value"), [("3.0", 3), ("-0.0", 0), ("1e3", 1000)])
def test_whole_numbers_may_have_a_point(column_type: ColumnType, text: str, value: int) -> None:
    schema = RecordSchema([Column(name="x", type=column_type)], max_records=2)
    [found] = schema.read(b'{"inputs": [{"x": %s}]}' % text.encode()).values["x"]
    assert (found, type(found)) == (value, int)


def texts() -> Api:
    """An application with a model of one text column, which gives the text back."""
    node = helper.make_node("Identity", ["text"], ["y"])
    made = graph([("text", TensorProto.STRING, ["n"])], [("y", TensorProto.STRING, ["n"])], [node])
    example = {"text": "some text"}
    return Api(models=[model_of("echo", made, Column(name="text", type="string"), input_example=example)])


@pytest.mark.parametrize("inputs", [["some text"], "some text", [{"text": "some text"}], {"text": "some text"}])
def test_a_value_stands_for_the_record_of_an_only_column(inputs: Any) -> None:
    answer = texts().client.post("/models/echo/predict", json={"inputs": inputs})
    assert answer.status_code == 200, answer.text
    assert answer.json()["predictions"] == [{"value": "some text"}]


@pytest.mark.parametrize("inputs", [[1], [["some text"]], 5, [None]])
def test_an_only_column_keeps_its_type(inputs: Any) -> None:
    answer = texts().client.post("/models/echo/predict", json={"inputs": inputs})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"].endswith("text")


def test_a_form_for_a_training_is_refused_with_an_example() -> None:
    answer = TrainingApi().client.post("/models/forest/train", data={"trees": "3"})
    assert answer.status_code == 415
    assert '{"parameters": {…}}' in answer.json()["detail"]


def test_flat_hyperparameters_are_told_their_place() -> None:
    answer = TrainingApi().post({"trees": 3, "seed": 7, "parameters": {"rate": 0.5}})
    assert answer.status_code == 422
    assert 'send {"seed":7,"parameters":{"rate":0.5,"trees":3}}' in answer.json()["detail"]


def test_a_column_that_cannot_be_absent_is_shown_as_required() -> None:
    columns = [Column(name=kind, type=kind, required=False) for kind in ("double", "string", "long", "boolean")]
    types = {"double": TensorProto.DOUBLE, "string": TensorProto.STRING, "long": TensorProto.INT64}
    given = [(kind, types.get(kind, TensorProto.BOOL), ["n", 1]) for kind in ("double", "string", "long", "boolean")]
    node = helper.make_node("Identity", ["double"], ["y"])
    made = graph(given, [("y", TensorProto.DOUBLE, ["n", 1])], [node])
    described = Api(models=[model_of("mixed", made, *columns)]).client.get("/models").json()["models"]
    [inputs] = [model["signature"]["inputs"] for model in described if model["name"] == "mixed"]
    assert {entry["name"]: entry["required"] for entry in inputs} == {
        "double": False,
        "string": False,
        "long": True,
        "boolean": True,
    }


# A JSON value as its text, and whether an object in it has a name twice.
Written = tuple[str, bool]


def _object(pairs: list[tuple[str, Written]]) -> Written:
    names = [name for name, _ in pairs]
    text = ", ".join(f"{json.dumps(name)}: {value}" for name, (value, _) in pairs)
    return f"{{{text}}}", len(set(names)) < len(names) or any(inner for _, (_, inner) in pairs)


def _list(values: list[Written]) -> Written:
    return f"[{', '.join(text for text, _ in values)}]", any(inner for _, inner in values)


_PLAIN = st.one_of(st.integers(), st.booleans(), st.text('a:",{}é', max_size=5)).map(
    lambda one: (json.dumps(one), False)
)
_WRITTEN = st.recursive(
    _PLAIN,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(_list),
        st.lists(st.tuples(st.sampled_from(("a", "b", "a:", "é")), inner), max_size=3).map(_object),
    ),
)


@given(_WRITTEN)
def test_only_a_name_twice_in_one_object_is_refused(written: Written) -> None:
    text, has_repeated = written
    if has_repeated:
        with pytest.raises(InvalidInputs):
            parse_json(text.encode())
    else:
        assert parse_json(text.encode()) == json.loads(text)


@pytest.mark.parametrize(("route", "status"), [("predict", 422), ("invocations", 400)])
def test_a_column_given_twice_is_refused_by_name(api: Api, route: str, status: int) -> None:
    twice = BODY.replace(b"{", b'{"petal_length": 1.0, ', 2).replace(b'{"petal_length": 1.0, ', b"{", 1)
    answer = post(api, twice, route)
    assert answer.status_code == status
    assert "petal_length" in answer.text
    assert "more than once" in answer.text


@pytest.mark.parametrize("route", ["predict", "invocations"])
@pytest.mark.parametrize(
    ("body", "reason"), [(b"", "it is empty"), (b" \n", "it is empty"), (BODY.decode().encode("utf-16"), "UTF-16")]
)
def test_both_routes_name_what_is_no_json(api: Api, route: str, body: bytes, reason: str) -> None:
    answer = post(api, body, route)
    assert answer.status_code == 400
    assert reason in answer.text
