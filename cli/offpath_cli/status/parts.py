"""Look at each part of a pipeline, as far as a look disturbs nothing."""

import json
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from http import HTTPStatus
from itertools import islice
from typing import Protocol

from offpath.aws.s3 import Listed
from offpath.contracts import writer_status
from offpath.contracts.errors import MalformedEvent, ObjectMissing, Transient
from offpath.contracts.model_manifest import Manifest
from offpath.contracts.names import AUDIT_STATUS_KEY, MANIFEST_KEY, WRITER_STATUS_KEY, archive_hour_prefix
from offpath.mlflow.http import MlflowHttp
from offpath_cli.dead_letters.letters import LetterBucket, letters
from offpath_cli.status.finding import Finding, State, Value

# As the alarms have it (template.yaml).
OLDEST_MESSAGE = timedelta(minutes=10)
OLDEST_SPILL = timedelta(minutes=30)
# It is made once a day.
OLDEST_AUDIT = timedelta(hours=50)
_MOST_LETTERS = 1_000
_HOURS_BACK = 48
_MLFLOW_SECONDS = 5.0


class StatusBucket(LetterBucket, Protocol):
    """Reads the bucket. Each method may raise Transient."""


def queue(waiting: Mapping[str, int], oldest: timedelta | None) -> Finding:
    """Tell how many events are on the queue. oldest: the age of the oldest, if that is known.

    waiting: numbers of `visible` messages, of those `in_flight`, and of those `delayed`.
    """
    is_late = oldest is not None and oldest > OLDEST_MESSAGE
    text = f"{waiting['visible']:,} waiting, {waiting['in_flight']:,} in flight"
    if oldest is not None:
        text += f"; the oldest came {age_text(oldest)} ago"
    values: dict[str, Value] = {**waiting, "oldest_seconds": None if oldest is None else int(oldest.total_seconds())}
    return Finding("queue", State.attention if is_late else State.well, text, values)


def dead_letter_queue(waiting: Mapping[str, int]) -> Finding:
    """Tell how many messages are on the dead-letter queue."""
    count = sum(waiting.values())
    return Finding("dead-letter queue", State.attention if count else State.well, f"{count:,}", dict(waiting))


def dead_letters(bucket: StatusBucket) -> Finding:
    """Tell how many dead letters nobody has settled, of the copies in S3. Raises Transient."""
    read = list(islice(letters(bucket), _MOST_LETTERS))
    count = sum(letter.state in {"open", "unreadable"} for letter in read)
    more = f" of the first {_MOST_LETTERS:,}" if len(read) == _MOST_LETTERS else ""
    text = f"{count:,} open{more}" + (": offpath dead-letters lists them" if count else "")
    return Finding("dead letters", State.attention if count else State.well, text, {"open": count})


def spill(waiting: Iterable[Listed], now: datetime) -> Finding:
    """Tell how many spilled events wait in S3, and since when. Raises Transient."""
    times = [found.modified for found in waiting]
    if not times:
        return Finding("spill", State.well, "nothing", {"waiting": 0, "oldest_seconds": None})
    oldest = now - min(times)
    text = f"{len(times):,} in S3; the oldest has been there for {age_text(oldest)}"
    state = State.attention if oldest > OLDEST_SPILL else State.well
    return Finding("spill", state, text, {"waiting": len(times), "oldest_seconds": int(oldest.total_seconds())})


def archive(listed: Callable[[str], Iterable[Listed]], now: datetime) -> Finding:
    """Tell when the archive's last object was written, of the last two days. Raises Transient."""
    for back in range(_HOURS_BACK):
        times = [found.modified for found in listed(archive_hour_prefix(now - timedelta(hours=back)))]
        if times:
            age = now - max(times)
            values: dict[str, Value] = {"last_at": max(times).isoformat(), "age_seconds": int(age.total_seconds())}
            return Finding("archive", State.well, f"the last object was written {age_text(age)} ago", values)
    return Finding("archive", State.well, "nothing was written for two days", {"last_at": None, "age_seconds": None})


def writer(bucket: StatusBucket, now: datetime) -> Finding:
    """Tell what the writer last saw of MLflow. Raises an OffpathError."""
    try:
        said = writer_status.load(bucket.get(WRITER_STATUS_KEY))
    except ObjectMissing:
        return Finding("writer", State.well, "has said nothing of MLflow yet", {"mlflow_stores": None, "at": None})
    ago = f"{age_text(now - said.at)} ago"
    text = f"MLflow stored what it got {ago}" if said.mlflow_stores else f"MLflow stored nothing {ago}: {said.reason}"
    state = State.well if said.mlflow_stores else State.attention
    return Finding("writer", state, text, {"mlflow_stores": said.mlflow_stores, "at": said.at.isoformat()})


def audit(bucket: StatusBucket, now: datetime) -> Finding:
    """Tell what the last daily audit came to. Raises an OffpathError."""
    try:
        said = json.loads(bucket.get(AUDIT_STATUS_KEY))
        made, result = datetime.fromisoformat(said["made_at"]), str(said["result"])
        missing = int(said.get("missing", 0))
    except ObjectMissing:
        return Finding("audit", State.skipped, "no daily audit was made yet", {"result": None, "made_at": None})
    except (ValueError, TypeError, KeyError) as error:
        raise MalformedEvent(f"{AUDIT_STATUS_KEY} cannot be read: {error!r}") from error
    text = {
        "well": f"nothing was missing {age_text(now - made)} ago",
        "missing": f"{missing:,} event(s) were missing {age_text(now - made)} ago: offpath audit names them",
    }.get(result, f"it could not tell {age_text(now - made)} ago: {said.get('reason', '')}")
    state = {"well": State.well, "missing": State.attention}.get(result, State.unknown)
    if now - made > OLDEST_AUDIT:
        state, text = State.attention, f"{text}; none was made since"
    values: dict[str, Value] = {"result": result, "made_at": made.isoformat(), "missing": missing}
    return Finding("audit", state, text, values)


def mlflow(http: MlflowHttp, *, is_local: bool) -> Finding:
    """Tell whether MLflow answers here. is_local: whether it must, and not by a tunnel that need not be open."""
    values = {"url": http.url}
    try:
        answer = http.request("GET", "/health", timeout_seconds=_MLFLOW_SECONDS)
    except Transient as error:
        if is_local:
            return Finding("mlflow", State.attention, f"does not answer: {error}", values)
        return Finding("mlflow", State.skipped, f"not reached from here, at {http.url}: see the writer", values)
    if answer.status == HTTPStatus.OK:
        return Finding("mlflow", State.well, f"answers at {http.url}", values)
    return Finding("mlflow", State.attention, f"{http.url}/health answers HTTP {answer.status}", values)


def manifest(bucket: StatusBucket, now: datetime) -> Finding:
    """Tell which models are served, and since when. Raises an OffpathError."""
    changed = next((found.modified for found in bucket.listed(MANIFEST_KEY) if found.key == MANIFEST_KEY), None)
    if changed is None:
        return Finding("models", State.attention, "there is no manifest yet: nothing is served", {"served": 0})
    served = sorted(Manifest.parse(bucket.get(MANIFEST_KEY)).models)
    age = now - changed
    text = f"{', '.join(served) or 'none'}; the manifest changed {age_text(age)} ago"
    return Finding("models", State.well, text, {"served": len(served), "age_seconds": int(age.total_seconds())})


def age_text(age: timedelta) -> str:
    """Return an age as people say it."""
    seconds = max(0, int(age.total_seconds()))
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"
