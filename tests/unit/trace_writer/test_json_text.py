"""A body becomes one line of JSON that any reader takes."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offpath.contracts.errors import MalformedEvent
from trace_writer.json_text import MAX_LEVELS, one_line, parse, shallow, storable_escapes

TEXTS = st.text(max_size=10)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
)


def test_a_plain_body_stays_as_it_is() -> None:
    body = '{"a":  "größer \\u00e9 \U0001f600"}'
    assert one_line(body) is body


def test_a_pretty_printed_body_is_written_compactly() -> None:
    assert one_line('{\n  "a": [\r\n 1,\n 2.5, true, null]\n}') == '{"a":[1,2.5,true,null]}'


def test_half_surrogate_pairs_are_replaced_and_whole_ones_kept() -> None:
    line = one_line(r'{"\ud800key": ["a\uDC00", "\ud83d\ude00"]}')
    assert json.loads(line) == {"\ufffdkey": ["a\ufffd", "\U0001f600"]}
    assert one_line('["\ud800"]') == '["\\ufffd"]'


def test_what_is_no_json_is_refused() -> None:
    with pytest.raises(MalformedEvent, match=r"not JSON: .* it begins with '\{\\n'"):
        one_line("{\n")


@given(value=VALUES, pretty=st.booleans(), ascii_only=st.booleans())
def test_the_line_means_what_the_body_means(value: object, pretty: bool, ascii_only: bool) -> None:
    body = json.dumps(value, indent=1 if pretty else None, ensure_ascii=ascii_only)

    line = one_line(body)

    assert "\n" not in line
    line.encode()
    kept = json.dumps(value, ensure_ascii=False).encode(errors="surrogatepass").decode(errors="ignore")
    if "\ufffd" not in line and "\\ufffd" not in line:
        assert json.loads(line) == json.loads(kept)


def test_numbers_stay_as_they_were_written() -> None:
    assert one_line('{"a":\n[1e999, 1.50, ' + "9" * 5_000 + "]}") == '{"a":[1e999,1.50,' + "9" * 5_000 + "]}"


def test_white_space_within_texts_is_kept() -> None:
    assert one_line('{"a b":\r\n"c  \\"d \\n e"}') == '{"a b":"c  \\"d \\n e"}'


@pytest.mark.parametrize("nested", [0, 1, 2, 3], ids=lambda nested: f"{nested} texts deep")
def test_half_pairs_and_nul_are_replaced_in_json_within_json(nested: int) -> None:
    for text, expected in [
        ("a\ud800b", "a\ufffdb"),
        ("\udc00\ud83d", "\ufffd\ufffd"),
        ("\ud83d\U0001f600", "\ufffd\U0001f600"),
        ("\\\U0001f600\\\\\0", "\\\U0001f600\\\\\ufffd"),
    ]:
        body = wrapped(text, nested)
        written = storable_escapes(one_line(body))
        for _ in range(nested + 1):
            [written] = json.loads(written)
        assert written == expected


def wrapped(text: str, nested: int) -> str:
    """JSON of a list that holds the text, as a text of such JSON, and so on."""
    body = json.dumps([text])
    for _ in range(nested):
        body = json.dumps([body])
    return body


def test_the_archived_line_keeps_what_json_can_hold() -> None:
    body = wrapped("\ud800\0", 1)
    assert one_line(body) == body


@pytest.mark.parametrize("levels", [MAX_LEVELS, MAX_LEVELS + 1, 10 * MAX_LEVELS])
def test_what_is_nested_too_deeply_becomes_null(levels: int) -> None:
    body = '[["]]]"],' + "[" * (levels - 1) + "1" + "]" * (levels - 1) + ',{"a":"["}]'

    first, value, last = parse(shallow(body))

    for _ in range(MAX_LEVELS - 1):
        [value] = value
    assert (first, value, last) == (["]]]"], 1 if levels == MAX_LEVELS else None, {"a": "["})


def test_deep_body_is_written_on_one_line() -> None:
    body = '{"a":\n' + "[" * 20_000 + "]" * 20_000 + "}"
    assert one_line(body) == body.replace("\n", "")
