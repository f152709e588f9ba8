"""API keys. `python -m prediction_api.api_keys` (or `make api-key`) makes one.

Only digests of keys are configured: several at once, so that one can be replaced while both are in use.
"""

import hashlib
import hmac
import secrets
from collections.abc import Iterable

HEADER = "x-api-key"

ADVICE = f"""
Give the key to the caller, who sends it as the header {HEADER}. Add the digest to OFFPATH_API_KEY_DIGESTS,
with commas between several; remove an old one when nobody uses it any more. The key is stored nowhere."""


def new_key() -> str:
    """Return a key of 256 random bits: no dictionary holds it, so that a plain digest is enough to keep."""
    return f"offpath_{secrets.token_urlsafe(32)}"


def digest_of(key: str) -> str:
    """Return the SHA-256 of a key, in hex: it is configured in the key's place."""
    return hashlib.sha256(key.encode()).hexdigest()


def is_one_of(key: str, digests: Iterable[str]) -> bool:
    """Whether a key has one of these digests. Each is compared in constant time: the time taken tells nothing."""
    given = digest_of(key)
    return sum(hmac.compare_digest(given, digest) for digest in digests) > 0


def main() -> None:
    """Print a new key and its digest; the key is shown this once."""
    key = new_key()
    print(f"key     {key}\ndigest  {digest_of(key)}\n{ADVICE}")  # noqa: T201


if __name__ == "__main__":
    main()
