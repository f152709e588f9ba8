"""S3, SQS and Secrets Manager in memory, and failing when told to."""

from collections.abc import Iterator, Sequence

from offpath.aws.s3 import Fetched
from offpath.contracts.errors import ClaimLost, ObjectChanged, ObjectMissing, Transient
from offpath.contracts.message import Message


class FakeQueue:
    """A queue that keeps what it takes; `outages` sends fail, and bodies in `refused` are never taken."""

    def __init__(self, outages: int = 0) -> None:
        self.messages: list[Message] = []
        self.batches: list[int] = []
        self.outages = outages
        self.refused: set[str] = set()
        self.attempts = 0

    def send(self, messages: Sequence[Message]) -> list[Message]:
        self.attempts += 1
        if self.outages:
            self.outages -= 1
            raise Transient("the queue does not answer")
        taken = [message for message in messages if message.body not in self.refused]
        self.messages += taken
        self.batches.append(len(taken))
        return [message for message in messages if message.body in self.refused]


class FakeBucket:
    """A bucket in a dictionary; `down` makes every call fail."""

    def __init__(self, name: str = "archive") -> None:
        self.name = name
        self.objects: dict[str, bytes] = {}
        self.down = False
        self.missing = False

    def put(self, key: str, content: bytes, content_type: str = "application/json") -> str:
        self._check(key)
        if self.missing:
            raise Transient(f"there is no bucket {self.name}")
        self.objects[key] = content
        return self.name

    def get(self, key: str) -> bytes:
        self._check(key)
        try:
            return self.objects[key]
        except KeyError:
            raise ObjectMissing(f"there is no s3://{self.name}/{key}") from None

    def get_if_changed(self, key: str, etag: str | None) -> Fetched | None:
        content = self.get(key)
        found = f'"{hash(content)}"'
        return None if found == etag else Fetched(content, found)

    def put_if_unchanged(self, key: str, content: bytes, etag: str | None) -> str:
        self._check(key)
        there = self.objects.get(key)
        if (None if there is None else f'"{hash(there)}"') != etag:
            raise ObjectChanged(f"s3://{self.name}/{key} is not the object that was read")
        self.objects[key] = content
        return f'"{hash(content)}"'

    def exists(self, key: str) -> bool:
        self._check(key)
        return key in self.objects

    def keys(self, prefix: str) -> Iterator[str]:
        self._check(prefix)
        return iter(sorted(key for key in self.objects if key.startswith(prefix)))

    def delete(self, key: str) -> None:
        self._check(key)
        self.objects.pop(key, None)

    def _check(self, key: str) -> None:
        if self.down:
            raise Transient(f"s3://{self.name}/{key} does not answer")


class FakeSecrets:
    """Secrets in a dictionary; `down` makes every call fail. fetches: the names that were asked for."""

    def __init__(self, **texts: str | bytes) -> None:
        self.values: dict[str, str | bytes] = dict(texts)
        self.fetches: list[str] = []
        self.down = False

    def text(self, name: str) -> str:
        self.fetches.append(name)
        if self.down:
            raise Transient("Secrets Manager does not answer")
        match self.values.get(name):
            case str(text):
                return text
            case None:
                raise ObjectMissing(f"there is no secret {name}")
            case _:
                raise Transient(f"the secret {name} is binary")


class FakeClaims:
    """Claims over a fake bucket."""

    def __init__(self, bucket: FakeBucket) -> None:
        self._bucket = bucket

    def put(self, key: str, content: bytes) -> str:
        return self._bucket.put(key, content)

    def get(self, bucket: str, key: str) -> bytes:
        try:
            if bucket != self._bucket.name or not key.startswith("claims/"):
                raise ObjectMissing(key)
            return self._bucket.get(key)
        except ObjectMissing as error:
            raise ClaimLost(f"the claim s3://{bucket}/{key} does not exist") from error
