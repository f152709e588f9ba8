"""A body becomes one line of JSON that any reader takes."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offpath.contracts.errors import MalformedEvent
from trace_writer.json_text import one_line

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
