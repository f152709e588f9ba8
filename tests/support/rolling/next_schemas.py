"""A next release: today's code, but what it writes is of schemas, states and types that today's does not know.

Each edit is one that a developer would make: a reader comes beside those that there are, and the writer changes.
"""

from tests.support.rolling.releases import Edits

_CONTRACTS = "layers/shared/offpath/contracts"
# The body of a message holds the event in a field; a claim's object is what it was.
_EVENT_READER = """
def _read_2(message: Message, claims: ClaimStore) -> TraceEvent:
    if message.attributes["kind"] == INLINE:
        message = Message(json.loads(message.body)["request"], message.attributes)
    return _read_1(message, claims)


# A reader for each schema"""

EDITS: Edits = {
    f"{_CONTRACTS}/trace_event.py": [
        ('SCHEMA = "otlp-json/1"', 'SCHEMA = "otlp-json/2"'),
        ("return Message(event.body, _attributes", 'return Message(json.dumps({"request": event.body}), _attributes'),
        ("\n# A reader for each schema", _EVENT_READER),
        ("{SCHEMA: _read_1}", '{"otlp-json/1": _read_1, SCHEMA: _read_2}'),
    ],
    f"{_CONTRACTS}/spilled.py": [
        ('SCHEMA = "spill/1"', 'SCHEMA = "spill/2"'),
        ("READABLE = (SCHEMA,)", 'READABLE = ("spill/1", SCHEMA)'),
    ],
    f"{_CONTRACTS}/training_job.py": [
        ('State = Literal["queued",', 'State = Literal["queued", "paused",'),
        ('claim="", state="queued"', 'claim="", state="paused"'),
    ],
    f"{_CONTRACTS}/model_manifest.py": [('    "bool", "str",\n]', '    "bool", "str", "single",\n]')],
}
# A name that NumPy knows, and the manifest only from the next release on.
NEW_TENSOR_TYPE = "single"
