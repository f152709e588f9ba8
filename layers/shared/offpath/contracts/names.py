"""Define names that two parts of the pipeline share: keys in the bucket, aliases and tags of the registry."""

import re
from datetime import UTC, datetime

# The alias of the version that answers what no other alias has a share of.
CHAMPION = "champion"

MANIFEST_KEY = "models/manifest.json"
RECIPES_KEY = "training/recipes.json"

ARCHIVE_PREFIX = "archive/v1/"
CLAIMS_PREFIX = "claims/"
DATASETS_PREFIX = "datasets/"
DEAD_LETTERS_PREFIX = "dead-letters/"
JOBS_PREFIX = "jobs/"
MODELS_PREFIX = "models/sha256/"
SPILL_PREFIX = "spill/"
SPILL_PARTS_PREFIX = "spill/parts/"
SWEEP_LEASE_KEY = "status/sweep-lease.json"
VERDICTS_PREFIX = "verdicts/"
WAITING_PREFIX = "waiting/"

# The tag of a run and of a registered version that names the training job they come from.
JOB_TAG = "offpath.job"
# A tag of a registered version: the unit of its values.
UNIT_TAG = "offpath.unit"

# The output of a graph whose numbers are class indexes, and no classes that are numbers.
CLASS_INDEX = "class_index"
# Between the terms of a text that a graph gets, and between those of several analyzers: no text holds them.
TERM_SEPARATOR, TERMS_SEPARATOR = "\x1f", "\x1e"
# What a graph gets for a text that is missing, where that is not an empty one: a character of no language.
ABSENT_TEXT = "\ufdd0"

_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
_ALIAS = re.compile(r"[\w-]{1,255}", re.ASCII)
_RESERVED_ALIAS = re.compile(r"latest|v\d+", re.ASCII | re.IGNORECASE)
ALIAS_RULE = "expected letters, digits, - and _, and neither latest nor v1, v2 …"


def is_alias(text: str) -> bool:
    """Tell whether MLflow's registry takes the text as an alias (https://mlflow.org/docs/latest/ml/model-registry/)."""
    return bool(_ALIAS.fullmatch(text)) and not _RESERVED_ALIAS.fullmatch(text)


def archive_hour_prefix(hour: datetime) -> str:
    """Return the prefix of the archive's objects of an hour, which is in UTC."""
    return f"{ARCHIVE_PREFIX}date={hour:%Y-%m-%d}/hour={hour:%H}/"


def claim_key(trace_id: str, sha256: str) -> str:
    """Return the key of a large body. trace_id: 32 hex digits. sha256: of the body, in hex."""
    return f"{CLAIMS_PREFIX}{trace_id}/{sha256}.json"


def spill_prefix(queue: str) -> str:
    """Return the prefix of the messages that the queue of that name could not take."""
    return f"{SPILL_PREFIX}{queue}/"


def spill_part_key(mark: str, part: int, parts: int) -> str:
    """Return the key of a part of a message that came by the log: one of `parts`, counted from 1."""
    return f"{SPILL_PARTS_PREFIX}{_safe(mark)}/{part:05d}-of-{parts:05d}.json"


def spill_done_key(folder: str) -> str:
    """Return the key of the mark that the event in a folder of parts is written. folder: without a slash at its end."""
    return f"{folder}/done"


def dead_letter_key(sent: datetime, message_id: str) -> str:
    """Return the key of the copy of a dead letter, by the day in UTC on which it was put on the queue.

    message_id: that of the message; what no key of S3 should hold is replaced.
    """
    return f"{DEAD_LETTERS_PREFIX}date={sent:%Y-%m-%d}/{_safe(message_id)}.json"


def dead_letter_claim_key(sent: datetime, message_id: str) -> str:
    """Return the key of the copy of a dead letter's claim, beside the letter's own."""
    return f"{DEAD_LETTERS_PREFIX}date={sent:%Y-%m-%d}/{_safe(message_id)}.claim.json"


def verdict_key(message_id: str) -> str:
    """Return the key of the note of how often a message was refused."""
    return f"{VERDICTS_PREFIX}{_safe(message_id)}.json"


def waiting_prefix(sent: datetime | None) -> str:
    """Return the prefix of the notes about messages of a minute, in UTC, that are archived and wait for MLflow."""
    minute = f"{sent.astimezone(UTC):%Y-%m-%dT%H-%M}" if sent else "unknown"
    return f"{WAITING_PREFIX}minute={minute}/"


def _safe(message_id: str) -> str:
    return _UNSAFE.sub("-", message_id)[:200] or "-"


def job_key(job_id: str) -> str:
    """Return the key of a job's document."""
    return f"{JOBS_PREFIX}{job_id}.json"


def model_file_key(sha256: str) -> str:
    """Return the key of a published ONNX file. sha256: of its content, in hex."""
    return f"{MODELS_PREFIX}{sha256}.onnx"


def tokenizer_file_key(sha256: str) -> str:
    """Return the key of a published tokenizer file. sha256: of its content, in hex."""
    return f"{MODELS_PREFIX}{sha256}.json"


def prepared_input(column: str) -> str:
    """Return the name of the input that takes a text column as its limits say.

    It is not the column's own: an API that does not know these limits refuses the graph, and gives it no wrong text.
    """
    return f"{column} (prepared)"


def model_experiment(above: str, model: str) -> str:
    """Return the MLflow experiment of the model's predictions; above: what `OFFPATH_EXPERIMENT` names."""
    return f"{above}/{model}"


def shadow_experiment(above: str, model: str) -> str:
    """Return the MLflow experiment of what the model's shadows predict."""
    return f"{model_experiment(above, model)}/shadow"
