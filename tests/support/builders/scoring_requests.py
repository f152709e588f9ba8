"""Requests of MLflow's scoring protocol, to be sent to its own server and to the prediction API alike."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Rows = Sequence[Mapping[str, Any]]
Request = tuple[str, str, Any]  # what it is, the model, the body

ROW: dict[str, Any] = {"a": 1.5, "f": 2, "n": 3, "i": 4, "b": True}
XY: list[dict[str, Any]] = [{"x": 1, "y": 2.5}, {"x": -3.5, "y": 0}, {"x": 0, "y": 0}]
TEXTS = [{"text": "good"}, {"text": "é ü 中文"}, {"text": ""}]
FLAT = [[1, 2, 3, 4], [0.5, -1, 2.25, 1e3]]
CUBE = [[[1, 2, 3], [4, 5, 6]], [[0, 0, 0], [1, 1, 1]]]
NAN = float("nan")


def forms(rows: Rows) -> dict[str, Any]:
    """The same records in every form that takes them."""
    names = list(rows[0])
    data = [list(row.values()) for row in rows]
    columns = {name: [row[name] for row in rows] for name in names}
    return {
        "records": {"dataframe_records": rows},
        "split": {"dataframe_split": {"columns": names, "data": data}},
        "split with index": {
            "dataframe_split": {"columns": names, "data": data, "index": list(range(5, 5 + len(rows)))}
        },
        "inputs rows": {"inputs": rows},
        "inputs columns": {"inputs": columns},
        "instances rows": {"instances": rows},
        "instances columns": {"instances": columns},
    }


def _everywhere(what: str, model: str, rows: Rows) -> Iterator[Request]:
    for form, body in forms(rows).items():
        yield f"{what}, {form}", model, body


def _without(name: str) -> dict[str, Any]:
    return {key: value for key, value in ROW.items() if key != name}


def _columns() -> Iterator[Request]:
    yield from _everywhere("one", "mixed", [ROW])
    yield from _everywhere("many", "mixed", [ROW, ROW | {"n": -7, "b": False}, ROW | {"a": 1e-3}])
    yield from _everywhere("one", "linear", XY[:1])
    yield from _everywhere("many", "linear", XY)
    yield from _everywhere("many", "label", XY)
    yield from _everywhere("many", "text", TEXTS)
    yield from _everywhere("very many", "linear", XY * 300)
    yield from _everywhere("columns in another order", "linear", [{"y": 1, "x": 2}])
    yield from _everywhere("more columns", "linear", [XY[0] | {"more": "x", "z": None}])
    yield from _everywhere("a column missing", "mixed", [_without("n")])
    yield from _everywhere("all columns missing", "linear", [{"z": 1}])
    changes: dict[str, dict[str, Any]] = {
        "null for an optional double": {"a": None},
        "NaN for an optional double": {"a": NAN},
        "null for a required float": {"f": None},
        "infinity": {"a": float("inf")},
        "an integer for a double": {"a": 2},
        "a text that is a number": {"a": "1.5", "n": "5"},
        "a text that is none": {"a": "wide"},
        "true for a number": {"a": True, "n": True},
        "a whole float for a long": {"n": 2.0},
        "null for a long": {"n": None},
        "a text for a long": {"n": "many"},
        "one for a boolean": {"b": 1},
        "a list for a value": {"a": [1]},
        "an object for a value": {"a": {"x": 1}},
    }
    for what, change in changes.items():
        yield from _everywhere(what, "mixed", [ROW | change])
        yield from _everywhere(f"{what}, in the second row", "mixed", [ROW, ROW | change])
    yield from _everywhere("a number for a text", "text", [{"text": 1}])


def _alone() -> Iterator[Request]:
    """Yield requests that only one form can express."""
    bodies: Sequence[Any] = (
        {"inputs": ["a", "b"]}, {"instances": ["a", "b"]}, {"inputs": {"text": "a"}}, {"instances": {"text": "a"}},
        {"inputs": "a"}, {"inputs": []}, {"instances": []}, {"inputs": {"text": []}}, {"dataframe_records": []},
        {"dataframe_split": {"columns": ["text"], "data": []}},
        {"dataframe_split": {"columns": ["text"], "data": ["a"]}},
        {"dataframe_split": {"data": [["a"]]}}, {"dataframe_split": {"columns": ["text"]}}, {"dataframe_split": ["a"]},
        {"dataframe_split": {"columns": ["text"], "data": [["a", "b"]]}}, {"dataframe_records": {"text": "a"}},
        {"dataframe_records": "a"},
        {"dataframe_split": {"columns": ["text"], "data": [["a"]], "extra": 1}}, {"dataframe_records": ["a"]},
        {"dataframe_records": [["a"]]}, {"dataframe_records": [{}]},
    )  # fmt: skip
    for body in bodies:
        yield str(body)[:60], "text", body
    bodies = (
        {"inputs": [[1, 2]]}, {"instances": [[1, 2]]}, {"inputs": 1}, {"inputs": []}, {"instances": []},
        {"inputs": {"x": 1, "y": 2}}, {"inputs": {"x": [1, 2], "y": 3}}, {"inputs": {"x": [1, 2], "y": [3]}},
        {"instances": {"x": [1, 2], "y": [3]}}, {"inputs": {"x": [], "y": []}}, {"instances": {"x": [], "y": []}},
        {"dataframe_split": {"columns": ["x", "y"], "data": []}}, {"dataframe_records": [{"x": 1, "y": 2}, {"x": 3}]},
        {"inputs": [{"x": 1, "y": 2}, {"x": 3}]}, {"instances": [{"x": 1, "y": 2}, {"x": 3}]},
        {"dataframe_split": {"columns": ["x", "y"], "data": [[1, 2], [3, 4, 5]]}}, {"inputs": [{"x": 1, "y": 2}, 3]},
        {"dataframe_split": {"columns": "xy", "data": [[1, 2]]}},
        {"dataframe_split": {"columns": ["x", "y"], "data": 1}},
    )  # fmt: skip
    for body in bodies:
        yield str(body)[:60], "linear", body
    rows = [ROW, _without("n")]
    yield "a gap in a long, records", "mixed", {"dataframe_records": rows}
    yield "a gap in a long, inputs", "mixed", {"inputs": rows}
    yield "a gap in a long, instances", "mixed", {"instances": rows}


def _documents() -> Iterator[Request]:
    """Yield bodies that are unusual as a whole, whatever the model."""
    good = {"dataframe_records": XY}
    for what, body in {
        "no JSON": b"{", "nothing": b"", "no UTF-8": b'"\xff\xfe"', "a list": [XY], "a number": 1, "null": None,
        "no form": {}, "an unknown form": {"records": XY}, "two forms": good | {"inputs": XY},
        "no params": good | {"params": None}, "empty params": good | {"params": {}},
        "another field": good | {"more": 1},
        "a signature's name": {"inputs": XY, "signature_name": "serving_default"},
    }.items():  # fmt: skip
        yield what, "linear", body


def _tensors() -> Iterator[Request]:
    flat_table = {"columns": ["p", "q", "r", "s"], "data": FLAT}
    bodies: Sequence[Any] = (
        FLAT, FLAT[:1], [], [[1, 2, 3]], [1, 2, 3, 4], [[1, 2, 3, 4], [5]], [[[1, 2, 3, 4]]], 1, "one", None,
        [["1", "2.5", "3", "4"]], [["one", 2, 3, 4]], [[1, None, 3, 4]], [[1, NAN, 3, 4]], [[True, False, 1, 0]],
        {"x": FLAT}, [{"x": FLAT[0]}], [[{}, 1, 2, 3]],
    )  # fmt: skip
    for body in bodies:
        yield f"inputs {str(body)[:40]}", "flat", {"inputs": body}
        yield f"instances {str(body)[:40]}", "flat", {"instances": body}
    yield "a table", "flat", {"dataframe_split": flat_table}
    yield "a table of three columns", "flat", {"dataframe_split": {"columns": ["p", "q", "r"], "data": [[1, 2, 3]]}}
    yield "a table of lists", "flat", {"dataframe_split": {"columns": ["x"], "data": [[row] for row in FLAT]}}
    yield "a table of short lists", "flat", {"dataframe_split": {"columns": ["x"], "data": [[[1, 2]]]}}
    yield "a table of single values", "flat", {"dataframe_split": {"columns": ["x"], "data": [[1]]}}
    yield "no rows", "flat", {"dataframe_split": flat_table | {"data": []}}
    yield "no records", "flat", {"dataframe_records": []}
    yield "records", "flat", {"dataframe_records": [{"p": 1, "q": 2, "r": 3, "s": 4}]}
    yield "rows without names", "flat", {"dataframe_records": FLAT}
    yield "a text in a table", "flat", {"dataframe_split": {"columns": list("pqrs"), "data": [[1, 2, 3, "x"]]}}


def _named_tensors() -> Iterator[Request]:
    bodies: Sequence[Any] = (
        CUBE, {"x": CUBE}, {"x": CUBE, "more": [1]}, {"y": CUBE}, {}, [{"x": CUBE[0]}], [], 1, [[1, 2, 3]],
        {"x": [[[1, 2, 3]]]}, {"x": [[[1, 2, 3], [4, 5]]]}, {"x": 1}, {"x": "a"},
    )  # fmt: skip
    for body in bodies:
        yield f"inputs {str(body)[:40]}", "cube", {"inputs": body}
    bodies = (
        CUBE, [{"x": part} for part in CUBE], {"x": CUBE}, [{"y": 1}],
        [{"x": CUBE[0]}, {"x": [[1]]}],
    )  # fmt: skip
    for body in bodies:
        yield f"instances {str(body)[:40]}", "cube", {"instances": body}
    flat_parts = [[part[0] + part[1]] for part in CUBE]
    yield "flat lists in a table", "cube", {"dataframe_split": {"columns": ["x"], "data": flat_parts}}
    yield "flat lists in records", "cube", {"dataframe_records": [{"x": part} for [part] in flat_parts]}
    yield "nested lists in a table", "cube", {"dataframe_split": {"columns": ["x"], "data": [[part] for part in CUBE]}}
    yield "another column", "cube", {"dataframe_split": {"columns": ["z"], "data": flat_parts}}
    pair: dict[str, Any] = {"n": [[1, 2], [3, 4]], "d": [0.5, 1.5]}
    for more in (
        {},
        {"d": [1, 2]},
        {"n": [[1, 2], [3, "4"]]},
        {"d": [1]},
        {"d": ["x", 1]},
        {"n": [[1, 2]]},
        {"more": 1},
    ):
        yield f"inputs with {more}", "pair", {"inputs": pair | more}
        yield f"instances with {more}", "pair", {"instances": pair | more}
    for key in pair:
        yield f"inputs without {key}", "pair", {"inputs": {name: value for name, value in pair.items() if name != key}}
    yield "rows", "pair", {"instances": [{"n": [1, 2], "d": 0.5}, {"n": [3, 4], "d": 1.5}]}
    yield "rows, one cut short", "pair", {"instances": [{"n": [1, 2], "d": 0.5}, {"n": [3, 4]}]}
    yield "rows as inputs", "pair", {"inputs": [{"n": [1, 2], "d": 0.5}]}
    yield "a table", "pair", {"dataframe_records": [{"n": [1, 2], "d": 0.5}, {"n": [3, 4], "d": 1.5}]}
    yield "texts", "words", {"inputs": [["a", "é"], ["", "中"]]}
    yield "named texts", "words", {"inputs": {"text": [["a", "b"]]}}
    yield "what only the graph refuses", "open", {"inputs": [[1, 2]]}
    yield "what the graph takes", "open", {"inputs": FLAT}


REQUESTS: list[Request] = [*_columns(), *_alone(), *_documents(), *_tensors(), *_named_tensors()]
