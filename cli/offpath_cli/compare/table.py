"""Show summaries side by side."""

from collections.abc import Iterator, Sequence

from rich.table import Table
from rich.text import Text

from offpath_cli.compare.summary import PERCENTILES, VALUE_PERCENTILES, Summary

MAX_LABELS = 8
Row = tuple[str, list[str]]


def table_of(summaries: Sequence[Summary]) -> Table:
    """Return a table with a column a version and a row a figure; rows that no version has are left out."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("")
    for summary in summaries:
        role = "shadow" if summary.is_shadow else "answers"
        table.add_column(f"{summary.alias}\nversion {summary.version}\n{role}", justify="right", no_wrap=True)
    for name, cells in _rows(summaries):
        if any(cells):
            table.add_row(Text(name), *cells)  # a label may look like markup
    return table


def _rows(summaries: Sequence[Summary]) -> Iterator[Row]:
    yield "requests", [f"{one.requests:,}" for one in summaries]
    yield "share of the answers", _shares_of_answers(summaries)
    yield "errors", [f"{one.error_rate:.2%}" for one in summaries]
    yield from _times("request", [one.request_ms for one in summaries])
    yield from _times("model", [one.model_ms for one in summaries])
    for label in _labels(summaries):
        yield f"predicted {label}", [_share(one.labels.get(label, 0.0) if one.labels else None) for one in summaries]
    for index, percentile in enumerate(VALUE_PERCENTILES):
        yield f"value p{percentile}", [f"{one.values[index]:.4g}" if one.values else "" for one in summaries]
    yield "agrees with the answer", [_share(one.agreement) for one in summaries]
    yield "differs from it by", [f"{one.difference:.4g}" if one.difference is not None else "" for one in summaries]


def _shares_of_answers(summaries: Sequence[Summary]) -> list[str]:
    answers = sum(one.requests for one in summaries if not one.is_shadow)
    return ["" if one.is_shadow else _share(one.requests / answers) for one in summaries]


def _times(subject: str, percentiles: Sequence[Sequence[float]]) -> Iterator[Row]:
    for index, percentile in enumerate(PERCENTILES):
        yield f"{subject} p{percentile}", [f"{times[index]:.2f} ms" if times else "" for times in percentiles]


def _labels(summaries: Sequence[Summary]) -> list[str]:
    """Return the labels that were predicted most, by any version."""
    most = {label: max(one.labels.get(label, 0) for one in summaries) for one in summaries for label in one.labels}
    return sorted(most, key=lambda label: -most[label])[:MAX_LABELS]


def _share(part: float | None) -> str:
    return "" if part is None else f"{part:.1%}"
