"""These errors tell what the caller should do.

    OffpathError
    ├── SettingsError      the environment holds an unusable value: do not start
    ├── ManifestError      the model manifest cannot be used: keep what is loaded
    ├── RecipesError       the announcement of recipes cannot be used: keep what is known
    ├── ObjectMissing      an S3 object, or a secret, does not exist
    ├── ObjectTooLarge     an S3 object is larger than the reader takes
    ├── ObjectChanged      an S3 object is not the one that was read: read it again
    ├── UnknownSchema      a message or document of a later version: leave it for a newer reader
    ├── Transient          may succeed later: retry, or leave the message on its queue
    └── Poison             cannot succeed, however often it is tried: keep it, dead-letter it
        ├── MalformedEvent     not a trace event
        ├── MalformedJob       not a training job, or not the message of one
        ├── TooLarge           more than the writer takes: in bytes, values or spans
        ├── ClaimLost          the S3 object that a message stands for does not exist
        ├── ClaimAltered       that object is not the one the message was sent with
        └── Rejected           MLflow refuses these spans

A message says what failed, with which value, and what to do about it.
"""


class OffpathError(Exception):
    """Everything that offpath raises on purpose derives from this error."""


class SettingsError(OffpathError):
    """The environment holds an unusable value, or lacks one."""


class ManifestError(OffpathError):
    """The model manifest is missing, or is not a manifest."""


class RecipesError(OffpathError):
    """The announcement of the recipes is missing, or is not an announcement."""


class ObjectMissing(OffpathError):
    """An S3 object, or a secret, does not exist."""


class ObjectTooLarge(OffpathError):
    """An S3 object is larger than whoever reads it takes."""


class ObjectChanged(OffpathError):
    """An S3 object is not the one that was read: somebody else wrote it meanwhile."""


class UnknownSchema(OffpathError):
    """A message or document is of a schema, or in a state, that this code does not read. A newer version may."""


class Transient(OffpathError):
    """A service did not answer, or asked to be asked later."""


class Poison(OffpathError):
    """This message can never be delivered as it is."""


class MalformedEvent(Poison):
    """The message is not a trace event."""


class MalformedJob(Poison):
    """The content is not a training job, or the message does not name one."""


class TooLarge(Poison):
    """The message is a trace event, but larger than the writer takes."""


class ClaimLost(Poison):
    """The S3 object that the message stands for does not exist."""


class ClaimAltered(Poison):
    """The S3 object is not the one that the message was sent with."""


class Rejected(Poison):
    """MLflow refuses these spans."""
