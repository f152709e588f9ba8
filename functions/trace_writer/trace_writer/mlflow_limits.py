"""Limits of MLflow 3.17 and of its databases, each with the place in MLflow's code that says so.

A trace beyond these is refused, or fails for ever, or is stored and then cannot be read. Tests send such traces to the
real server.
"""

# BIGINT columns: mlflow/store/tracking/dbmodels/models.py, SqlSpan.start_time_unix_nano.
MAX_TIME = 2**63 - 1
# VARCHAR columns: SqlSpan.type, SqlTraceMetadata.value, SqlExperiment.name. PostgreSQL refuses longer texts.
MAX_SPAN_TYPE = 500
MAX_USER = 8000
MAX_EXPERIMENT = 256
# MAX_CHARS_IN_TRACE_INFO_METADATA and MAX_CHARS_IN_TRACE_INFO_TAGS_VALUE: mlflow/tracing/constant.py. MLflow refuses
# the trace (validate_session_id, validate_trace_name).
MAX_SESSION = 250
MAX_TRACE_NAME = 4096
# mlflow/utils/validation.py, _validate_trace_tag. MLflow passes over other tags without a word.
MAX_TAG_KEY = 250
# Each tag costs MLflow two SQL statements: ten thousand take six seconds.
MAX_TAGS = 500
# Protobuf's parsers take a hundred messages within each other: a list is two, a map three. JSON in a text counts, too,
# because `traces/get` makes protobuf of it, and the translators of mlflow/tracing/otel/translation wrap it once more.
MAX_NESTING = 24
# JSON's integers become protobuf's int64 when a trace is read: mlflow/tracing/utils/otlp.py.
MIN_INT64 = -(2**63)
MAX_INT64 = 2**63 - 1
# CPython's limit for int(text), which MLflow does not expect to meet: sys.int_info.default_max_str_digits.
MAX_DIGITS = 4300
# Of one count of tokens: MLflow adds some of them up, and the sum has to fit int64.
MAX_TOKENS = 2**53
